using System.Globalization;
using System.Text;
using DistributedEnsemble.Messages;

namespace DistributedEnsemble.Training.Tables;

/// <summary>One cell of a table: trimmed UTF-8 text as a file has it, or a number as a client sent it.</summary>
public readonly ref struct Cell
{
    private readonly ReadOnlySpan<byte> _text;
    private readonly char _decimal;
    private readonly double? _number;

    /// <param name="text">Trimmed UTF-8.</param>
    /// <param name="decimal">The decimal point of the file.</param>
    public Cell(ReadOnlySpan<byte> text, char @decimal = '.')
    {
        _text = text;
        _decimal = @decimal;
    }

    /// <param name="number">Not a number is a missing cell.</param>
    public Cell(double number) => _number = number;

    /// <summary>Whether nothing is known: an empty cell, or one of the words for that.</summary>
    public bool IsMissing => _number is { } number ? double.IsNaN(number) : MissingCells.Are(_text);

    /// <summary>The number that the cell is.</summary>
    public bool TryNumber(out double number) => TryNumber(out number, out _);

    internal bool TryNumber(out double number, out NumberDress dress)
    {
        dress = NumberDress.None;
        number = _number.GetValueOrDefault();
        return _number is not null ? double.IsFinite(number) : Numbers.TryParse(_text, _decimal, out number, out dress);
    }

    /// <summary>The number before a unit; false where another stands behind it.</summary>
    internal bool TryNumber(string unit, out double number)
    {
        Span<char> own = stackalloc char[Numbers.LongestUnit];
        return TrySplit(out number, out var bytes) && Singular(own[..Encoding.UTF8.GetChars(bytes, own)]).SequenceEqual(Singular(unit));
    }

    /// <summary>The number as it stands in a column or target of numbers.</summary>
    /// <param name="unit">What may stand behind it; null is nothing.</param>
    /// <param name="isShort">Whether it may be written short, as 12k.</param>
    internal bool TryNumber(string? unit, bool isShort, out double number) =>
        isShort ? Magnitudes.TryParse(this, out number) : TryNumber(out number) || (unit is not null && TryNumber(unit, out number));

    /// <summary>1 day, 2 days; but 1 m is not 1 ms.</summary>
    private static ReadOnlySpan<char> Singular(ReadOnlySpan<char> unit) => unit is [_, _, .., 's'] ? unit[..^1] : unit;

    internal bool TrySplit(out double number, out ReadOnlySpan<byte> unit, bool allowsCurrency = false)
    {
        number = 0;
        unit = default;
        return _number is null && Numbers.TrySplit(_text, _decimal, allowsCurrency, out number, out unit);
    }

    /// <summary>The text, valid until the buffer is used again. A number is written as short as it can be read again.</summary>
    /// <param name="buffer">Grows as needed.</param>
    public ReadOnlySpan<char> Text(ref char[] buffer)
    {
        if (_number is { } number)
        {
            if (buffer.Length < 64) buffer = new char[64];
            return number.TryFormat(buffer, out var written, "R", CultureInfo.InvariantCulture) ? buffer.AsSpan(0, written) : [];
        }

        // UTF-8 never takes fewer bytes than UTF-16 takes characters.
        if (buffer.Length < _text.Length) buffer = new char[Math.Max(_text.Length, 64)];
        return buffer.AsSpan(0, Encoding.UTF8.GetChars(_text, buffer)).Trim();
    }

    internal ReadOnlySpan<byte> Bytes => _text;

    /// <summary>For errors.</summary>
    public override string ToString() => OneLine.Quoted(_number is { } number ? number.ToString("R", CultureInfo.InvariantCulture) : Encoding.UTF8.GetString(_text));
}

/// <summary>
/// The words for an empty cell: people's, those of R, pandas, SAS and spreadsheets, and what is left of a division by zero.
/// </summary>
internal static class MissingCells
{
    private static readonly string[] s_words = ["na", "n/a", "n.a.", "nan", "nat", "null", "none", "<na>", "inf", "-inf"],
        s_exact = ["", "?", "-", "--", ".", "#N/A", "#DIV/0!", "#NUM!", "#VALUE!", "#REF!", "#NAME?", "#NULL!", "Infinity", "-Infinity"];

    private static readonly int s_longest = s_exact.Max(text => text.Length);
    private static readonly byte[][][] s_exactOfLength =
        [.. Enumerable.Range(0, s_longest + 1).Select(length => s_exact.Where(text => text.Length == length).Select(Encoding.UTF8.GetBytes).ToArray())];

    private static readonly byte[][][] s_wordsOfLength =
        [.. Enumerable.Range(0, s_longest + 1).Select(length => s_words.Where(text => text.Length == length).Select(Encoding.UTF8.GetBytes).ToArray())];

    /// <summary>All of them, words in each mixture of cases.</summary>
    public static IEnumerable<string> Texts => [.. s_exact, .. s_words.SelectMany(word => Cases(word, 0))];

    public static bool Are(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty) return true;
        // Nearly all cells are numbers, and none of these begins with a digit.
        if (text.Length > s_longest || char.IsAsciiDigit((char)text[0])) return false;
        foreach (var exact in s_exactOfLength[text.Length]) if (text.SequenceEqual(exact)) return true;
        foreach (var word in s_wordsOfLength[text.Length]) if (Ascii.EqualsIgnoreCase(text, word)) return true;
        return false;
    }

    private static IEnumerable<string> Cases(string word, int from)
    {
        if (from == word.Length) return [word];
        var rest = Cases(word, from + 1);
        return char.IsAsciiLetter(word[from]) ? rest.SelectMany(text => (string[])[text, $"{text[..from]}{char.ToUpperInvariant(text[from])}{text[(from + 1)..]}"]) : rest;
    }
}
