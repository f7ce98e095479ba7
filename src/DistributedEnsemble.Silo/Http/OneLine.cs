namespace DistributedEnsemble.Silo.Http;

/// <summary>What somebody sent, in a message of one line.</summary>
internal static class OneLine
{
    private const int Longest = 100;

    public static string Of(string text)
    {
        var line = new string([.. text.Take(Longest).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? ' ' : c)]);
        return text.Length <= Longest ? line : $"{line}…";
    }

    /// <summary>A message of this system, which is long enough as it is.</summary>
    public static string Whole(string message) => message.ReplaceLineEndings(" ");

    public static string Quoted(string? text) => text is null ? "null" : $"\"{Of(text)}\"";
}
