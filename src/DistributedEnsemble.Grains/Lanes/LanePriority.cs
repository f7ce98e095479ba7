namespace DistributedEnsemble.Grains.Lanes;

/// <summary>How much of a processor lanes get that other threads want, too.</summary>
public enum LanePriority
{
    /// <summary>A tenth (nice 10). Who wakes up for a prediction may still wait for the end of a lane's time slice, some milliseconds.</summary>
    Low,

    /// <summary>
    /// What nobody else wants (SCHED_IDLE): predictions interrupt lanes at once, and beside other programs that never rest lanes
    /// hardly train. The default of silos that serve HTTP. Linux only; elsewhere it is <see cref="Low"/>.
    /// </summary>
    Idle,
}
