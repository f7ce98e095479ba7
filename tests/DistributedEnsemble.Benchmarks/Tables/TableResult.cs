using System.Text.Json.Serialization;
using DistributedEnsemble.Reports.Experiments;

namespace DistributedEnsemble.Benchmarks.Tables;

/// <summary>What the defaults give on a public table, for each seed, beside what scikit-learn reaches on the same rows.</summary>
internal sealed record TableResult(
    string Name, string Task, double? Boosting, double? Forest, double? Linear, IReadOnlyList<TableSeed> Seeds, ReportOrigin Origin)
{
    private const double Near = 0.02;

    /// <summary>Accuracy or R² of the ensemble, over the seeds.</summary>
    [JsonIgnore]
    public Estimate Ours => Estimate.Of([.. Seeds.Select(seed => seed.Ours)]);

    /// <summary>The deviation of one seed's score; null of a single seed.</summary>
    [JsonIgnore]
    public double? Spread => Ours.StandardError * Math.Sqrt(Seeds.Count);

    /// <summary>Of the score, over the choice of test rows, which are the same for all seeds: that of the first; null if it was not measured.</summary>
    [JsonIgnore]
    public double? StandardError => Seeds[0].StandardError;

    [JsonIgnore]
    public double? Best => new[] { Boosting, Forest, Linear }.Max();

    /// <summary>How much is lacking to within 0.02 of the best of the three; below zero where nothing is.</summary>
    [JsonIgnore]
    public double? Lacking => Best - Near - Ours.Mean;

    /// <summary>Whether other seeds might say the opposite of <see cref="Lacking"/>: its 95 % interval over them holds 0. False of a single seed, which does not tell.</summary>
    [JsonIgnore]
    public bool IsOpen => Seeds.Count > 1 && Math.Abs(Lacking ?? double.PositiveInfinity) <= Ours.Margin;

    /// <summary>At which its seeds were measured.</summary>
    [JsonIgnore]
    public IEnumerable<string?> Commits => Seeds.Select(CommitOf);

    /// <summary>Its seeds that were measured with changes which no commit has.</summary>
    [JsonIgnore]
    public IEnumerable<TableSeed> Uncommitted => Seeds.Where(seed => CommitOf(seed)?.EndsWith('+') is true);

    private string? CommitOf(TableSeed seed) => seed.Commit ?? Origin.Commit;

    public static TableResult Of(PublicTable table, IReadOnlyList<TableSeed> seeds, ReportOrigin origin) =>
        new(table.Name, table.Task, table.Boosting, table.Forest, table.Linear, seeds, origin);
}

/// <param name="Ours">The ensemble's accuracy or R².</param>
/// <param name="Single">The mean of its members'.</param>
/// <param name="Seconds">Of processor time, for the training.</param>
internal sealed record TableSeed(int Seed, double Ours, double Single, double Nll, double Seconds)
{
    /// <summary>Of the score, over the choice of test rows; null but of the first seed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? StandardError { get; init; }

    /// <summary>At which it was measured; null if at that of the whole result.</summary>
    public string? Commit { get; init; }
}
