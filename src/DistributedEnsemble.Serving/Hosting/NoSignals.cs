namespace DistributedEnsemble.Serving.Hosting;

/// <summary>
/// The lifetime of a host whose program listens to signals itself. The ordinary one would answer them, too: in the middle of a
/// start it breaks that off, which no part of the host expects.
/// </summary>
public sealed class NoSignals : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
