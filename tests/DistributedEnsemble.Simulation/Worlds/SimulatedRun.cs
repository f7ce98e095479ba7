namespace DistributedEnsemble.Simulation.Worlds;

/// <summary>A run of a simulated world.</summary>
internal sealed class SimulatedRun(Course course, Store store)
{
    public Course Course => course;
    public Store Store => store;
    public string Grain { get; } = $"run {course.Run.Name}";

    /// <summary>Whether another process has asked its owner to stop it.</summary>
    public bool IsStopRequested { get; set; }
}
