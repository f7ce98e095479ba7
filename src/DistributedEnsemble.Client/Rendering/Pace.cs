using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Client.Rendering;

/// <summary>How fast a run goes: its steps over the last seconds, so that a pause or a resumed run's past does not count.</summary>
internal sealed class Pace(TimeProvider time)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(0.5);

    private readonly Queue<(long Time, long Steps, double Done)> _samples = new();
    private (long Time, long Steps, double Done) _newest;

    public void Observe(RunStatus status)
    {
        // After a crash members go on from their checkpoints: what was lost must not count as negative speed.
        if (_samples.Count > 0 && status.Steps < _newest.Steps) _samples.Clear();
        _newest = (time.GetTimestamp(), status.Steps, Done(status));
        _samples.Enqueue(_newest);
        while (time.GetElapsedTime(_samples.Peek().Time, _newest.Time) > Window) _samples.Dequeue();
    }

    /// <summary>Steps per second over all members; null until there is something to measure.</summary>
    public double? StepsPerSecond => PerSecond(sample => sample.Steps);

    /// <summary>Until all members have ended, where a step of one may take longer than one of another; null until there is something to measure.</summary>
    public TimeSpan? TimeLeft => Left(1 - _newest.Done, PerSecond(sample => sample.Done));

    /// <summary>The time that something takes at a speed; null if nothing moves.</summary>
    public static TimeSpan? Left(double amount, double? perSecond) =>
        perSecond is > 0 and var rate && amount / rate < TimeSpan.MaxValue.TotalSeconds / 2
            ? TimeSpan.FromSeconds(Math.Ceiling(Math.Round(amount / rate, 6)))
            : null;

    private double? PerSecond(Func<(long Time, long Steps, double Done), double> amount)
    {
        if (!_samples.TryPeek(out var oldest)) return null;
        var elapsed = time.GetElapsedTime(oldest.Time, _newest.Time);
        return elapsed < Shortest ? null : (amount(_newest) - amount(oldest)) / elapsed.TotalSeconds;
    }

    /// <summary>The share of the work that is done, by the estimate that places members; by steps where there is none.</summary>
    private static double Done(RunStatus status)
    {
        var all = status.Members.Sum(member => member.Cost);
        return all > 0
            ? status.Members.Sum(member => member.Cost * member.Step / Math.Max(1, member.StepsTotal)) / all
            : (double)status.Steps / Math.Max(1, status.StepsTotal);
    }
}
