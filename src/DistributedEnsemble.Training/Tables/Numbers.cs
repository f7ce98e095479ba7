using System.Globalization;

namespace DistributedEnsemble.Training.Tables;

/// <summary>What a number wears besides its digits: a whole column must wear the same.</summary>
[Flags]
internal enum NumberDress
{
    None = 0,
    Percent = 1,
    Currency = 2,
    Unit = 4,
}

/// <summary>
/// Numbers as people write them: with thousands separators, percent and currency signs, a decimal point or comma, and below zero in
/// brackets, as accountants do.
/// </summary>
internal static class Numbers
{
    /// <summary>Bytes of a unit.</summary>
    public const int LongestUnit = 12;

    private const int Longest = 64;

    /// <summary>As typesetters write it.</summary>
    private static ReadOnlySpan<byte> Minus => "\u2212"u8;

    private static readonly byte[][] s_currencies =
        [.. new[] { "$", "€", "£", "¥", "₹", "USD", "EUR", "GBP", "CHF" }.Select(System.Text.Encoding.UTF8.GetBytes)];

    /// <summary>What stands between thousands besides a point or comma: spaces that break no line among them.</summary>
    private static readonly byte[][] s_groupSigns = [.. new[] { "\u00a0", "\u202f", "\u2009", "’", " ", "'", "_" }.Select(System.Text.Encoding.UTF8.GetBytes)];

    /// <summary>Reads a finite number. 12 % is 12, (12) is -12.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, char @decimal, out double number, out NumberDress dress)
    {
        dress = NumberDress.None;
        if (@decimal == '.' && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number)) return double.IsFinite(number);
        number = 0;
        return text.Length is > 0 and <= Longest && TryParseDressed(text, @decimal, out number, out dress);
    }

    /// <summary>Divides 5 kg into a number and its unit, which begins with a letter or a degree sign.</summary>
    /// <param name="allowsCurrency">Whether the number may have a currency sign: €5M.</param>
    public static bool TrySplit(ReadOnlySpan<byte> text, char @decimal, bool allowsCurrency, out double number, out ReadOnlySpan<byte> unit)
    {
        number = 0;
        unit = default;
        if (text.Length > Longest) return false;
        var place = 0;
        while (place < text.Length && !char.IsAsciiLetter((char)text[place]) && !text[place..].StartsWith("°"u8) && !text[place..].StartsWith("µ"u8) && !text[place..].StartsWith("μ"u8)) place++;
        if (place == 0 || place == text.Length || text.Length - place > LongestUnit) return false;
        unit = text[place..];
        var digits = TrimEnd(text[..place]);
        // 1. Male is a label.
        return digits is not [.., (byte)'.' or (byte)','] && TryParse(digits, @decimal, out number, out var dress) && (dress == NumberDress.None || (allowsCurrency && dress == NumberDress.Currency));
    }

    private static bool TryParseDressed(ReadOnlySpan<byte> text, char @decimal, out double number, out NumberDress dress)
    {
        (number, dress) = (0, NumberDress.None);
        Span<byte> digits = stackalloc byte[Longest];
        var length = 0;
        if (text is [(byte)'(', .., (byte)')'])
        {
            digits[length++] = (byte)'-';
            text = text[1..^1].Trim((byte)' ');
            if (text.IsEmpty || text[0] is (byte)'-' or (byte)'+') return false;
        }
        else if (text[0] is (byte)'-' or (byte)'+')
        {
            if (text[0] == '-') digits[length++] = (byte)'-';
            text = text[1..].TrimStart((byte)' ');
        }
        else if (text.StartsWith(Minus))
        {
            digits[length++] = (byte)'-';
            text = text[Minus.Length..].TrimStart((byte)' ');
        }

        dress = Undress(ref text);
        if (text.IsEmpty) return false;
        if (length == 0 && text[0] is (byte)'-' && dress == NumberDress.Currency)
        {
            digits[length++] = (byte)'-';
            text = text[1..];
        }

        var point = text.IndexOf((byte)@decimal);
        var whole = point < 0 ? text : text[..point];
        if (!TryCopyGroups(whole, @decimal, digits, ref length)) return false;
        if (point >= 0)
        {
            digits[length++] = (byte)'.';
            var fraction = text[(point + 1)..];
            if (fraction.Contains((byte)'.')) return false;
            fraction.CopyTo(digits[length..]);
            length += fraction.Length;
        }

        return double.TryParse(digits[..length], NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out number)
            && double.IsFinite(number);
    }

    /// <summary>Takes away a percent sign at the end, or a currency sign at either end.</summary>
    private static NumberDress Undress(ref ReadOnlySpan<byte> text)
    {
        if (text is [.., (byte)'%'])
        {
            text = TrimEnd(text[..^1]);
            return NumberDress.Percent;
        }

        foreach (var sign in s_currencies)
        {
            if (text.StartsWith(sign)) text = text[sign.Length..].TrimStart((byte)' ');
            else if (text.EndsWith(sign)) text = TrimEnd(text[..^sign.Length]);
            else continue;
            return NumberDress.Currency;
        }

        return NumberDress.None;
    }

    private static ReadOnlySpan<byte> TrimEnd(ReadOnlySpan<byte> text)
    {
        text = text.TrimEnd((byte)' ');
        foreach (var space in s_groupSigns[..3]) if (text.EndsWith(space)) return text[..^space.Length];
        return text;
    }

    /// <summary>
    /// Digits, or groups of three behind a first of one to three, all divided by the same sign; or by commas of two before the last of
    /// three, as in India: 1,23,456.
    /// </summary>
    private static bool TryCopyGroups(ReadOnlySpan<byte> whole, char @decimal, Span<byte> digits, ref int length)
    {
        ReadOnlySpan<byte> separator = @decimal == '.' ? ","u8 : "."u8;
        foreach (var sign in s_groupSigns) if (whole.IndexOf(sign) >= 0) separator = sign;
        if (whole.IndexOf(separator) < 0)
        {
            whole.CopyTo(digits[length..]);
            length += whole.Length;
            return true;
        }

        var first = true;
        var size = separator is [(byte)','] && whole[(whole.IndexOf(separator) + 1)..].IndexOf(separator) == 2 ? 2 : 3;
        foreach (var range in whole.Split(separator))
        {
            var group = whole[range];
            var isLast = range.End.GetOffset(whole.Length) == whole.Length;
            if (first ? group.Length is 0 || group.Length > size || group[0] == '0' : group.Length != (isLast ? 3 : size)) return false;
            if (group.ContainsAnyExceptInRange((byte)'0', (byte)'9')) return false;
            group.CopyTo(digits[length..]);
            length += group.Length;
            first = false;
        }

        return true;
    }
}
