using System.Text.Json.Serialization;
using DistributedEnsemble.Reports.Experiments;

namespace DistributedEnsemble.Benchmarks.Distillation;

/// <param name="Kept">The share of the teachers' gain in NLL over their mean member that the students have, over all seeds.</param>
internal sealed record DistillationResult(string Data, double Kept, IReadOnlyList<DistillationSeed> Seeds, ReportOrigin Origin)
{
    private const double Goal = 0.5;

    /// <summary>Whether students keep half of the gain: "yes" or "no" where the 95 % interval of what they have beyond it leaves 0 out.</summary>
    [JsonIgnore]
    public string Reached => Beyond(Goal) is var beyond && beyond.Mean > beyond.Margin ? "yes" : beyond.Mean < -beyond.Margin ? "no" : "open";

    /// <summary>Of the share, as that of a ratio of means (Cochran, "Sampling techniques", 1977, section 2.11).</summary>
    [JsonIgnore]
    public double? StandardError => Beyond(Kept).StandardError / Seeds.Average(seed => seed.Gain);

    /// <summary>At which its seeds were measured.</summary>
    [JsonIgnore]
    public string Commits => string.Join(", ", Seeds.Select(seed => seed.Commit ?? Origin.Commit).Distinct());

    public static DistillationResult Of(string data, IReadOnlyList<DistillationSeed> seeds, ReportOrigin origin) =>
        new(data, Math.Round(seeds.Sum(seed => seed.Single - seed.Student) / seeds.Sum(seed => seed.Gain), 3), seeds, origin);

    private Estimate Beyond(double share) => Estimate.Of([.. Seeds.Select(seed => seed.Beyond(share))]);
}

/// <summary>NLL of the teacher's mean member, of the teacher and of the student; and the task's first measure of each.</summary>
internal sealed record DistillationSeed(
    int Seed, double Single, double Teacher, double Student, double SingleMeasure, double TeacherMeasure, double StudentMeasure)
{
    public double Kept => Beyond(0) / Gain;

    /// <summary>NLL of the student on the validation split, by which settings are chosen; null without one.</summary>
    public double? Validation { get; init; }

    /// <summary>At which it was measured; null if at that of the whole result.</summary>
    public string? Commit { get; init; }

    [JsonIgnore]
    public double Gain => Single - Teacher;

    /// <summary>What the student has of the gain above a share of it.</summary>
    public double Beyond(double share) => Single - Student - (share * Gain);
}
