using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Serving.Live;

/// <summary>Says how a run is, and when to ask again.</summary>
internal interface IRunSource : IAsyncDisposable
{
    /// <summary>Ends when the run has changed since it was last asked; never, if that was lost on its way.</summary>
    Task Changed { get; }

    /// <returns>Null if there is no such run any more.</returns>
    /// <exception cref="OperationCanceledException">Nobody wants to know any more.</exception>
    Task<RunStatus?> AskAsync(CancellationToken cancellation);
}
