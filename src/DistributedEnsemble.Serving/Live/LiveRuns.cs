using System.Collections.Concurrent;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Serving.Runs;

namespace DistributedEnsemble.Serving.Live;

/// <summary>Runs as they are now: from the coordinator of one that this cluster works on, from its folder otherwise.</summary>
internal sealed class LiveRuns(IGrainFactory grains, RunIndex runs, TimeProvider time)
{
    /// <summary>The index is less far behind: one of objects is read every few seconds.</summary>
    private static readonly TimeSpan s_behind = TimeSpan.FromSeconds(10);

    /// <summary>Runs that this cluster worked on when somebody last asked for any, by name, and when that was.</summary>
    private readonly ConcurrentDictionary<string, (RunKey Run, long At)> _worked = new(StringComparer.Ordinal);

    /// <exception cref="HttpError">There is no such run.</exception>
    public async Task<RunStatus> StatusAsync(string name, CancellationToken cancellation) =>
        await ActiveAsync(name, cancellation) is { } run ? await AskAsync(run, cancellation) : await InactiveAsync(name, cancellation) ?? throw Unknown(name);

    /// <returns>Null if this cluster does not work on it.</returns>
    public async Task<ICoordinator?> CoordinatorAsync(string name, CancellationToken cancellation) =>
        await ActiveAsync(name, cancellation) is { } run ? Coordinator(run) : null;

    /// <inheritdoc cref="CoordinatorAsync"/>
    public async Task<RunKey?> ActiveAsync(string name, CancellationToken cancellation)
    {
        RunKey? found = null;
        foreach (var run in await grains.GetGrain<IScheduler>(IScheduler.Key).ListAsync(cancellation).WaitAsync(cancellation))
        {
            _worked[run.Name] = (run, time.GetTimestamp());
            if (run.Name == name) found = run;
        }

        return found;
    }

    /// <summary>A run that this cluster does not work on.</summary>
    /// <returns>Null if there is none.</returns>
    public async Task<RunStatus?> InactiveAsync(string name, CancellationToken cancellation)
    {
        if (_worked.TryGetValue(name, out var worked))
        {
            if (time.GetElapsedTime(worked.At) < s_behind && !HasSeenEnd(worked.Run))
            {
                // Of a run that has just ended the index has still a status from before: it would go back to steps that are done.
                try
                {
                    return await AskAsync(worked.Run, cancellation);
                }
                catch (RunRejectedException)
                {
                    // It was deleted.
                }
            }

            _worked.TryRemove(KeyValuePair.Create(name, worked));
        }

        return runs.Find(name);
    }

    /// <summary>As its folder has it.</summary>
    /// <exception cref="HttpError">There is no such run.</exception>
    public RunStatus Find(string name) => runs.Find(name) ?? throw Unknown(name);

    public static HttpError Unknown(string name) => HttpError.NotFound($"There is no run {OneLine.Quoted(name)} here: GET /api/runs lists those that are.");

    private bool HasSeenEnd(RunKey run) => runs.Find(run.Name) is { IsAtRest: true } known && known.Id == run.Id;

    private Task<RunStatus> AskAsync(RunKey run, CancellationToken cancellation) => Coordinator(run).GetStatusAsync().WaitAsync(cancellation);

    private ICoordinator Coordinator(RunKey run) => grains.GetGrain<ICoordinator>(run.ToString());
}
