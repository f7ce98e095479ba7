using System.Text;

namespace DistributedEnsemble.Training;

/// <summary>Foreign text in a message of one line: quoted, short, without control characters.</summary>
internal static class Excerpt
{
    private const int Longest = 40;

    public static string Of(string text)
    {
        var result = new StringBuilder("\"");
        foreach (var c in text.AsSpan(0, Math.Min(text.Length, Longest))) result.Append(char.IsControl(c) || char.IsSurrogate(c) ? '?' : c);
        return result.Append(text.Length > Longest ? "…\"" : "\"").ToString();
    }

    /// <summary>Bytes that should be UTF-8.</summary>
    public static string Of(ReadOnlySpan<byte> utf8) => Of(Encoding.UTF8.GetString(utf8[..Math.Min(utf8.Length, 4 * Longest)]));
}
