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

    /// <summary>Runs that this cluster worked on when they were last asked for, by name, and when that was.</summary>
    private readonly ConcurrentDictionary<string, (RunKey Run, long At)> _asked = new(StringComparer.Ordinal);

    /// <exception cref="HttpError">There is no such run.</exception>
    public async Task<RunStatus> StatusAsync(string name, CancellationToken cancellation)
    {
        if (await ActiveAsync(name, cancellation) is { } run)
        {
            _asked[name] = (run, time.GetTimestamp());
            return await AskAsync(run);
        }

        if (!_asked.TryGetValue(name, out var asked)) return Find(name);
        if (time.GetElapsedTime(asked.At) < s_behind && !HasSeenEnd(asked.Run))
        {
            // Of a run that has just ended the index has still a status from before: it would go back to steps that are done.
            try
            {
                return await AskAsync(asked.Run);
            }
            catch (RunRejectedException)
            {
                // It was deleted.
            }
        }

        _asked.TryRemove(KeyValuePair.Create(name, asked));
        return Find(name);

        Task<RunStatus> AskAsync(RunKey key) => grains.GetGrain<ICoordinator>(key.ToString()).GetStatusAsync().WaitAsync(cancellation);
    }

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

    private bool HasSeenEnd(RunKey run) => runs.Find(run.Name) is { IsAtRest: true } known && known.Id == run.Id;
}
