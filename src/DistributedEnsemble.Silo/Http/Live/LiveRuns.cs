using DistributedEnsemble.Messages;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Silo.Http.Runs;

namespace DistributedEnsemble.Silo.Http.Live;

/// <summary>Runs as they are now: from the coordinator of one that this cluster works on, from its folder otherwise.</summary>
internal sealed class LiveRuns(IGrainFactory grains, RunIndex runs)
{
    /// <exception cref="HttpError">There is no such run.</exception>
    public async Task<RunStatus> StatusAsync(string name) =>
        await CoordinatorAsync(name) is { } coordinator ? await coordinator.GetStatusAsync() : Find(name);

    /// <returns>Null if this cluster does not work on it.</returns>
    public async Task<ICoordinator?> CoordinatorAsync(string name) =>
        await ActiveAsync(name) is { } run ? grains.GetGrain<ICoordinator>(run.ToString()) : null;

    /// <inheritdoc cref="CoordinatorAsync"/>
    public async Task<RunKey?> ActiveAsync(string name)
    {
        foreach (var run in await grains.GetGrain<IScheduler>(IScheduler.Key).ListAsync()) if (run.Name == name) return run;
        return null;
    }

    /// <summary>As its folder has it.</summary>
    /// <exception cref="HttpError">There is no such run.</exception>
    public RunStatus Find(string name) =>
        runs.Find(name) ?? throw HttpError.NotFound($"There is no run {OneLine.Quoted(name)} here: GET /api/runs lists those that are.");
}
