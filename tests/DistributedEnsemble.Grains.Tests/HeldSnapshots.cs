using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Tests;

/// <summary>
/// Holds the first member's snapshots back: its lane goes on until it has two to hand over and comes to a third, so that the run is
/// on its way for as long as its test wants, however fast or slow the machine is.
/// </summary>
internal sealed class HeldSnapshots : IDisposable
{
    private readonly ManualResetEventSlim _released = new();
    private readonly IDisposable _watch;

    public HeldSnapshots(RunFolder run) => _watch = FileOperations.Observe(run.Root, (_, path) =>
    {
        if (path.Contains("members/00/snapshots/", StringComparison.Ordinal)) _released.Wait();
    });

    public void Release() => _released.Set();

    public void Dispose()
    {
        Release();
        _watch.Dispose();
    }
}
