namespace DistributedEnsemble.Client.Rendering;

/// <summary>How fast a run goes: its steps over the last seconds, so that a pause or a resumed run's past does not count.</summary>
internal sealed class Pace(TimeProvider time)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(0.5);

    private readonly Queue<(long Time, long Steps)> _samples = new();
    private (long Time, long Steps) _newest;

    public void Observe(long steps)
    {
        // After a crash members go on from their checkpoints: what was lost must not count as negative speed.
        if (_samples.Count > 0 && steps < _newest.Steps) _samples.Clear();
        _newest = (time.GetTimestamp(), steps);
        _samples.Enqueue(_newest);
        while (time.GetElapsedTime(_samples.Peek().Time, _newest.Time) > Window) _samples.Dequeue();
    }

    /// <summary>Steps per second over all members; null until there is something to measure.</summary>
    public double? StepsPerSecond
    {
        get
        {
            if (!_samples.TryPeek(out var oldest)) return null;
            var elapsed = time.GetElapsedTime(oldest.Time, _newest.Time);
            return elapsed < Shortest ? null : (_newest.Steps - oldest.Steps) / elapsed.TotalSeconds;
        }
    }

    public TimeSpan? TimeLeft(long steps) => Left(steps, StepsPerSecond);

    /// <summary>The time that steps take at a speed; null if nothing moves.</summary>
    public static TimeSpan? Left(long steps, double? stepsPerSecond) =>
        stepsPerSecond is > 0 and var rate && steps / rate < TimeSpan.MaxValue.TotalSeconds / 2
            ? TimeSpan.FromSeconds(Math.Ceiling(steps / rate))
            : null;
}
