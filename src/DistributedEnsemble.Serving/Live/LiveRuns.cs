using DistributedEnsemble.Messages;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Serving.Runs;

namespace DistributedEnsemble.Serving.Live;

/// <summary>Runs as they are now: from the coordinator of one that this cluster works on, from its folder otherwise.</summary>
internal sealed class LiveRuns(IGrainFactory grains, RunIndex runs)
{
    /// <exception cref="HttpError">There is no such run.</exception>
    public async Task<RunStatus> StatusAsync(string name, CancellationToken cancellation) =>
        await CoordinatorAsync(name, cancellation) is { } coordinator ? await coordinator.GetStatusAsync().WaitAsync(cancellation) : Find(name);

    /// <returns>Null if this cluster does not work on it.</returns>
    public async Task<ICoordinator?> CoordinatorAsync(string name, CancellationToken cancellation) =>
        await ActiveAsync(name, cancellation) is { } run ? grains.GetGrain<ICoordinator>(run.ToString()) : null;

    /// <inheritdoc cref="CoordinatorAsync"/>
    public async Task<RunKey?> ActiveAsync(string name, CancellationToken cancellation)
    {
        foreach (var run in await grains.GetGrain<IScheduler>(IScheduler.Key).ListAsync(cancellation).WaitAsync(cancellation)) if (run.Name == name) return run;
        return null;
    }

    /// <summary>As its folder has it.</summary>
    /// <exception cref="HttpError">There is no such run.</exception>
    public RunStatus Find(string name) =>
        runs.Find(name) ?? throw HttpError.NotFound($"There is no run {OneLine.Quoted(name)} here: GET /api/runs lists those that are.");
}
