namespace DistributedEnsemble.Grains.Lanes;

/// <summary>Steps per second over the last second or so.</summary>
internal sealed class StepRate(TimeProvider time, int step)
{
    private long _since = time.GetTimestamp();
    private int _step = step;
    private double _rate;

    /// <param name="now">The time provider's timestamp.</param>
    public double At(int step, long now)
    {
        var elapsed = time.GetElapsedTime(_since, now).TotalSeconds;
        if (elapsed < 1 && _rate > 0 || elapsed < 0.05) return _rate;
        (_rate, _step, _since) = ((step - _step) / elapsed, step, now);
        return _rate;
    }
}
