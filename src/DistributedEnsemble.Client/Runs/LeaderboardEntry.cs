using System.Collections.Immutable;

namespace DistributedEnsemble.Client.Runs;

/// <summary>A single model of an ensemble, measured alone on the test split.</summary>
internal sealed record LeaderboardEntry(int Member, int Step, Measures Measures)
{
    /// <summary>By their NLL, the best first; nothing of a run that was not evaluated.</summary>
    public static ImmutableArray<LeaderboardEntry> Of(EvaluationReport? report) => report is null ? [] :
    [
        .. report.Weights.Zip(report.Models, (file, measures) => new LeaderboardEntry(file.Member, file.Step, measures)).OrderBy(entry => entry.Measures.Nll),
    ];
}
