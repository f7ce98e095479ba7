namespace DistributedEnsemble.Client.Rendering;

/// <summary>A cell of a CSV file that people open with a spreadsheet.</summary>
internal static class CsvCell
{
    /// <summary>What a spreadsheet computes instead of showing it, unless it is a number.</summary>
    private static readonly char[] s_formula = ['=', '+', '-', '@', '\t', '\r'];

    /// <summary>
    /// RFC 4180, in quotation marks where that is needed. A text that a spreadsheet would take for a formula has an apostrophe in front:
    /// names of classes come from whoever made the data, and a formula sends what stands beside it anywhere.
    /// </summary>
    public static string Of(string text)
    {
        if (text.Length > 0 && s_formula.Contains(text[0]) && !double.TryParse(text, out _)) text = $"'{text}";
        return text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
