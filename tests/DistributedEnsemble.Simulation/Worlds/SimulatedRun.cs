namespace DistributedEnsemble.Simulation.Worlds;

/// <summary>A run of a simulated world.</summary>
internal sealed class SimulatedRun(Course course, Store store)
{
    public Course Course => course;
    public Store Store => store;

    /// <summary>Of each member the attempt that began last, and when: milliseconds.</summary>
    public Dictionary<int, (int Attempt, long At)> Newest { get; } = [];

    /// <summary>All activations that there were of its coordinator.</summary>
    public List<CoordinatorHost> Hosts { get; } = [];

    /// <summary>How often what was to follow from something was forgotten: by an activation that ended, and at a fault.</summary>
    public int Breaks { get; set; }

    public string Grain { get; } = $"run {course.Run.Name}";

    /// <summary>Whether another process has asked its owner to stop it.</summary>
    public bool IsStopRequested { get; set; }
}
