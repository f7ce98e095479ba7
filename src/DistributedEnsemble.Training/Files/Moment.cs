namespace DistributedEnsemble.Training.Files;

/// <summary>When something was, for whoever must know how long ago at least: also if the machine slept since, or its clock was set.</summary>
internal readonly struct Moment
{
    private readonly TimeProvider _time;
    private readonly DateTimeOffset _date;
    private readonly long _stamp;

    private Moment(TimeProvider time) => (_time, _date, _stamp) = (time, time.GetUtcNow(), time.GetTimestamp());

    public static Moment Of(TimeProvider time) => new(time);

    /// <summary>The longer of two times: a stopwatch may stand still while a machine sleeps, and a clock may be set back.</summary>
    public TimeSpan Since => TimeSpan.FromTicks(Math.Max((_time.GetUtcNow() - _date).Ticks, _time.GetElapsedTime(_stamp).Ticks));
}
