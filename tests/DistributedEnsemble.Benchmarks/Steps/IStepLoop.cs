namespace DistributedEnsemble.Benchmarks.Steps;

/// <summary>The training of one member in some way; made, used and disposed on one thread.</summary>
internal interface IStepLoop : IDisposable
{
    void Step();
}
