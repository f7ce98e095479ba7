namespace DistributedEnsemble.Browser.Tests;

/// <summary>What makes a run that no machine ends while a test looks at it.</summary>
internal static class Endless
{
    /// <summary>The most that a spec may ask for: with batches of eight rows of the digits, 162 million steps of each member.</summary>
    public const int Epochs = 1_000_000;
}
