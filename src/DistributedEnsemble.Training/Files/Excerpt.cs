using System.Text;

namespace DistributedEnsemble.Training;

/// <summary>Foreign text in a message of one line: quoted and short.</summary>
internal static class Excerpt
{
    private const int Longest = 40;

    public static string Of(string text) => OneLine.Quoted(text, Longest);

    /// <summary>Bytes that should be UTF-8.</summary>
    public static string Of(ReadOnlySpan<byte> utf8) => Of(Encoding.UTF8.GetString(utf8[..Math.Min(utf8.Length, 4 * Longest)]));
}
