using System.Diagnostics;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Evaluation;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Reports.Experiments;

/// <summary>Measures, seed by seed, the ensembles whose size a suite draws curves of.</summary>
/// <param name="before">Seeds that were measured before.</param>
internal sealed class EarlyExitExperiment(Suite suite, string command, TimeProvider time, EarlyExitResults? before = null)
{
    private readonly List<EarlyExitSeed>[] _seeds = [.. suite.Curves.Select((_, i) => new List<EarlyExitSeed>(before?.Networks[i].BySeed ?? []))];
    private readonly long _started = time.GetTimestamp();

    /// <summary>The suite with only what is needed for it.</summary>
    public static Suite PartOf(Suite suite) => suite with
    {
        Arms = [.. suite.Arms.Where(arm => suite.Curves.Any(curve => curve.Arm == arm.Name))], Subjects = [], Comparisons = [],
    };

    public static string Version => FileVersionInfo.GetVersionInfo(typeof(EarlyExitExperiment).Assembly.Location).ProductVersion ?? "";

    /// <param name="errors">Of ensembles by their size, of each curve.</param>
    public void Add(SeedModels models, IReadOnlyList<double[]> errors)
    {
        foreach (var (i, curve) in suite.Curves.Index()) _seeds[i].Add(Of(models, curve.Arm, errors[i]));
    }

    public EarlyExitResults Results() => new(
        suite.Name, command, time.GetUtcNow().ToString("yyyy-MM-dd"), Version, ThisMachine.Describe(), Environment.ProcessorCount,
        (before?.Minutes ?? 0) + time.GetElapsedTime(_started).TotalMinutes, [.. suite.Curves.Select((curve, i) => new EarlyExitResult(curve.Title, [.. _seeds[i]]))]);

    private static EarlyExitSeed Of(SeedModels models, string arm, double[] errors)
    {
        var plan = models.Splits;
        var test = plan.Samples(DataPart.Test).Targets;
        var finals = models[arm].Select(member => member.Final).ToList();
        var exits = EarlyExitEvaluation.Of(plan.Task, [.. finals.Select(final => (final.Validation, final.Test))], plan.Samples(DataPart.Validation).Targets, test);
        return new EarlyExitSeed(
            models.Seed, errors, ClassificationQuality.Of((Classification)plan.Task, Answers.Average(finals).Test, test).Nll,
            [.. exits.Select(exit => new EarlyExitPoint(exit.Probability, exit.Members, exit.Changed, 1 - exit.Measures["accuracy"], exit.Measures.Nll))]);
    }
}
