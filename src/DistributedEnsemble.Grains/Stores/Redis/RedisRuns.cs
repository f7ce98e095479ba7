using System.Collections.Concurrent;
using System.Collections.Immutable;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Stores.Files;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace DistributedEnsemble.Grains.Stores.Redis;

/// <summary>
/// The runs of a cluster, in Redis: which run has a name, and which of them go on by themselves. Whoever coordinates a run is
/// fenced by its record's version, so nothing needs to be held.
/// </summary>
internal sealed class RedisRuns(IConnectionMultiplexer redis, EnsembleTrainingOptions options, ILogger<RedisRuns> log) : IRunDirectory, IRunOwnership
{
    /// <summary>Which run has a name; and which runs go on by themselves. Both are written together with the records.</summary>
    internal static readonly RedisKey Names = "ensemble/runs", Unfinished = "ensemble/unfinished";

    private readonly ConcurrentDictionary<string, bool> _strange = new();

    public bool OutlivesProcess => true;

    public async Task<IDisposable?> ClaimAsync(RunKey run)
    {
        var folder = options.FolderOf(run.Name);
        // Redis may have been lost: the runs of the folder keep their names.
        if (await Task.Run(() => folder.Storage.IsLink(run.Name) || folder.Exists(RunFolder.RecordFile) || folder.Storage.IsBeingRemoved(run.Name))) return null;
        var isNew = await AskAsync(store => store.HashSetAsync(Names, run.Name, run.ToString(), When.NotExists));
        if (!isNew && await NamedAsync(run.Name) != run) return null;
        try
        {
            if (await Task.Run(() => TryPrepare(folder.Storage, run.Name))) return Nothing.Held;
        }
        catch
        {
            // Nobody else would give back the name of a run that has no files.
            await ForgetAsync(run);
            throw;
        }

        await ForgetAsync(run);
        return null;
    }

    public Task<bool> UnclaimAsync(RunKey run) => Task.Run(() => options.Storage.RemoveAsync(
        run.Name, () => AskAsync(store => RedisRunStore.ForgetUnwrittenAsync(store, run))));

    public Task<IDisposable?> TryHoldAsync(RunFolder folder) => Task.FromResult<IDisposable?>(Nothing.Held);

    public async Task<RunKey?> FindAsync(string name)
    {
        if (await NamedAsync(name) is { } run) return run;
        return await Task.Run(() => RecordFiles.RunIn(options.FolderOf(name)));
    }

    public async Task<ImmutableArray<RunKey>> AllAsync(CancellationToken cancellation)
    {
        var named = await AskAsync(store => store.HashGetAllAsync(Names));
        // Redis may have been lost: the folder's copies are runs, too.
        var folders = await Task.Run(() => RecordFiles.RunsIn(options, cancellation), cancellation);
        return [.. named.Select(entry => Read(entry.Value)).OfType<RunKey>().Concat(folders).DistinctBy(run => run.Name).OrderBy(run => run.Name, StringComparer.Ordinal)];
    }

    public Task<long> CountAsync() => AskAsync(store => store.HashLengthAsync(Names));

    public async Task<ImmutableArray<RunKey>> UnfinishedAsync() =>
        [.. (await AskAsync(store => store.SetMembersAsync(Unfinished))).Select(run => Read(run)).OfType<RunKey>().OrderBy(run => run.Name, StringComparer.Ordinal)];

    /// <returns>False if a deletion that gave the name free is still under way.</returns>
    private static bool TryPrepare(RunStorage storage, string run)
    {
        if (storage.IsBeingRemoved(run)) return false;
        storage.Prepare(run);
        return true;
    }

    private Task<bool> ForgetAsync(RunKey run) => AskAsync(store => RedisRunStore.ForgetAsync(store, run));

    private async Task<RunKey?> NamedAsync(string name)
    {
        var run = await AskAsync(store => store.HashGetAsync(Names, name));
        return run.IsNull ? null : Read(run);
    }

    /// <summary>An entry that is no run is somebody's mistake, and no reason to do without the others.</summary>
    private RunKey? Read(RedisValue entry)
    {
        const int MostStrange = 100;
        var text = entry.ToString();
        if (RunKey.TryParse(text) is { } run) return run;
        if (_strange.Count < MostStrange && _strange.TryAdd(text, true)) log.NoRun(OneLine.Of(text));
        return null;
    }

    private Task<T> AskAsync<T>(Func<IDatabase, Task<T>> ask) =>
        RedisCall.AskAsync(() => ask(redis.GetDatabase()), line => new RecordsAwayException(line));
}
