using System.Text;

namespace DistributedEnsemble.Training.Tables;

/// <summary>Whether the last row of a table is the sum of the others, as people write below a sheet.</summary>
internal sealed class TotalsRow
{
    private static readonly byte[][] s_words =
        [.. new[] { "total", "totals", "grand total", "subtotal", "sum", "summe", "gesamt", "somme", "suma", "totale", "totaal" }.Select(Encoding.UTF8.GetBytes)];

    private string? _last;

    /// <param name="first">The first cell of the next row.</param>
    /// <param name="counts">Whether the row trains or tests.</param>
    public void Add(Cell first, bool counts) => _last = counts && IsWord(first.Bytes) ? first.ToString() : null;

    public IEnumerable<string> Notes => _last is null ? [] :
        [$"The last row begins with {_last}: if it is the sum of the others, delete it from the file, or it is learned as one of them."];

    private static bool IsWord(ReadOnlySpan<byte> text)
    {
        foreach (var word in s_words) if (Ascii.EqualsIgnoreCase(text, word)) return true;
        return false;
    }
}
