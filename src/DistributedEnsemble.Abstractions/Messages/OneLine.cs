using System.Globalization;
using System.Text;

namespace DistributedEnsemble.Messages;

/// <summary>
/// Text of others as one line that a terminal, a log or an answer may show: what would break the line, steer a terminal, hide or
/// reorder what stands beside it becomes a space.
/// </summary>
internal static class OneLine
{
    /// <summary>Characters of a name in the midst of a message, and of a value that is all that there is to show.</summary>
    private const int LongestName = 40, LongestValue = 100;

    /// <summary>All of a message, whoever wrote it; what is not shown of it becomes one space where it stands together.</summary>
    public static string Of(string? message) => Of(message, int.MaxValue);

    /// <param name="longest">How many characters are shown; what is longer ends in "…".</param>
    public static string Of(string? text, int longest)
    {
        var line = new StringBuilder();
        var isGap = false;
        foreach (var rune in (text ?? "").EnumerateRunes())
        {
            if (!IsShown(rune) || (isGap && rune.Value == ' '))
            {
                isGap = true;
                continue;
            }

            if (isGap && line.Length > 0 && line[^1] != ' ') line.Append(' ');
            isGap = false;
            if (line.Length + rune.Utf16SequenceLength > longest) return line.Append('…').ToString();
            line.Append(rune);
        }

        return line.ToString();
    }

    /// <summary>The beginning of a value that somebody sent.</summary>
    public static string Excerpt(string? text) => Of(text, LongestValue);

    /// <summary>The beginning of a name in quotation marks; null is the word null.</summary>
    public static string Quoted(string? text, int longest = LongestName) => text is null ? "null" : $"\"{Of(text, longest)}\"";

    private static bool IsShown(Rune rune) => rune != Rune.ReplacementChar && Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned);
}
