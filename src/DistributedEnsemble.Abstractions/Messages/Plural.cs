namespace DistributedEnsemble.Messages;

/// <summary>Nouns beside numbers.</summary>
internal static class Plural
{
    /// <param name="noun">Of one of them; more have an s behind it.</param>
    public static string Of(long count, string noun) => count == 1 ? noun : $"{noun}s";
}
