using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Averaging;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Reports.Experiments;

/// <summary>The EMA models of one member while it trains: over the whole run, and over the last cycle of a cyclic schedule.</summary>
internal sealed class RunningAverages : IDisposable
{
    private readonly List<(AveragingReset Reset, AveragingSchedule Schedule, Weights Weights)> _averages = [];

    public RunningAverages(MemberPlan plan)
    {
        if (plan.Spec.Averaging is not { } averaging) return;
        AveragingReset[] resets = plan.Spec.Training.Schedule.Kind == ScheduleKind.CyclicCosine
            ? [AveragingReset.Never, AveragingReset.Cycle]
            : [AveragingReset.Never];
        foreach (var reset in resets)
        {
            var schedule = AveragingSchedule.Of(plan.Spec with { Averaging = averaging with { Reset = reset } }, plan.Steps)!;
            _averages.Add((reset, schedule, new Weights(plan.Network.Layout)));
        }
    }

    public IEnumerable<(AveragingReset Reset, Weights Weights)> Models => _averages.Select(average => (average.Reset, average.Weights));

    /// <summary>After each step.</summary>
    public void Observe(MemberTraining training)
    {
        if (_averages.Count == 0 || !training.IsAveraged) return;
        using var weights = training.CopyWeights();
        foreach (var (_, schedule, average) in _averages)
        {
            ExponentialMovingAverage.Fold(average, weights, schedule.ShareAt(training.Step));
        }
    }

    public void Dispose()
    {
        foreach (var average in _averages) average.Weights.Dispose();
    }
}
