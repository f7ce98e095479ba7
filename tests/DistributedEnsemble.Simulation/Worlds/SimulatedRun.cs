namespace DistributedEnsemble.Simulation.Worlds;

/// <summary>A run of a simulated world.</summary>
internal sealed class SimulatedRun(Course course, Store store)
{
    public Course Course => course;
    public Store Store => store;

    /// <summary>Of each member the attempt that began last, and when: milliseconds.</summary>
    public Dictionary<int, (int Attempt, long At)> Newest { get; } = [];

    public string Grain { get; } = $"run {course.Run.Name}";

    /// <summary>Whether another process has asked its owner to stop it.</summary>
    public bool IsStopRequested { get; set; }
}
