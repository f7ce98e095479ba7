namespace DistributedEnsemble.Runs;

/// <summary>Is told by a run's coordinator that the run has changed, and then asks how it is.</summary>
[Alias("ensemble.run-observer")]
public interface IRunObserver : IGrainObserver
{
    /// <summary>
    /// The status is another one than when somebody last asked for it, or the files beside it have grown. Is said once, until somebody
    /// asks again; and may be lost with a silo.
    /// </summary>
    [Alias("changed")]
    void Changed();
}
