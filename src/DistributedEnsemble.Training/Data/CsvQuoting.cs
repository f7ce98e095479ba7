using CsvHelper;

namespace DistributedEnsemble.Training;

/// <summary>Says what is wrong with a row whose quotes break RFC 4180, and in which column.</summary>
internal static class CsvQuoting
{
    public static string Describe(CsvMalformedRecord row)
    {
        var reason = row.Reason switch
        {
            CsvMalformedReason.UnterminatedQuote => "a quoted cell is never closed",
            CsvMalformedReason.StrayQuote => "a quote stands inside a cell that is not quoted",
            _ => "text follows the closing quote of a cell",
        };
        return $"line {row.LineNumber}, column {Column(row.RawRecord) + 1}: {reason}";
    }

    /// <summary>The reader tells only the row; this finds the first cell of it that is not well-formed.</summary>
    private static int Column(string row)
    {
        var column = 0;
        for (var i = 0; i < row.Length; i++, column++)
        {
            if (row[i] != '"')
            {
                while (i < row.Length && row[i] != ',') if (row[i++] == '"') return column;
                continue;
            }

            for (i++; i < row.Length && (row[i] != '"' || (i + 1 < row.Length && row[i + 1] == '"')); i++) if (row[i] == '"') i++;
            if (++i >= row.Length || row[i] != ',') return column;
        }

        return column;
    }
}
