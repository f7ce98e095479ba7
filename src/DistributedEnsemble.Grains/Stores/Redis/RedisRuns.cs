using System.Collections.Concurrent;
using System.Collections.Immutable;
using DistributedEnsemble.Training;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace DistributedEnsemble.Grains;

/// <summary>
/// The runs of a cluster, in Redis: which run has a name, and which of them go on by themselves. Whoever coordinates a run is
/// fenced by its record's version, so nothing needs to be held.
/// </summary>
internal sealed class RedisRuns(IConnectionMultiplexer redis, EnsembleTrainingOptions options, ILogger<RedisRuns> log) : IRunDirectory, IRunOwnership
{
    private static readonly RedisKey s_names = "ensemble/runs", s_unfinished = "ensemble/unfinished";

    private readonly ConcurrentDictionary<string, bool> _strange = new();

    public bool OutlivesProcess => true;

    public async Task<IDisposable?> ClaimAsync(RunKey run)
    {
        var folder = new RunFolder(options.RunsFolder, run.Name);
        // Redis may have been lost: the runs of the folder keep their names.
        var isFree = await Task.Run(() =>
        {
            if (FileRuns.IsLink(folder) || File.Exists(folder.Record)) return false;
            Directory.CreateDirectory(folder.Root);
            return true;
        });
        if (!isFree) return null;
        var isNew = await AskAsync(store => store.HashSetAsync(s_names, run.Name, run.ToString(), When.NotExists));
        return isNew || await NamedAsync(run.Name) == run ? Nothing.Held : null;
    }

    public IDisposable? TryHold(RunFolder folder) => Nothing.Held;

    public async Task<RunKey?> FindAsync(string name)
    {
        if (await NamedAsync(name) is { } run) return run;
        return await Task.Run(() => FileRecordStorage.FindIn(options.RunsFolder, name));
    }

    public async Task<ImmutableArray<RunKey>> AllAsync()
    {
        var named = await AskAsync(store => store.HashGetAllAsync(s_names));
        // Redis may have been lost: the folder's copies are runs, too.
        var folders = await Task.Run(() => FileRecordStorage.FoldersOf(options.RunsFolder));
        return [.. named.Select(entry => Read(entry.Value)).OfType<RunKey>().Concat(folders).DistinctBy(run => run.Name).OrderBy(run => run.Name, StringComparer.Ordinal)];
    }

    public Task<long> CountAsync() => AskAsync(store => store.HashLengthAsync(s_names));

    public async Task<ImmutableArray<RunKey>> UnfinishedAsync() =>
        [.. (await AskAsync(store => store.SetMembersAsync(s_unfinished))).Select(run => Read(run)).OfType<RunKey>().OrderBy(run => run.Name, StringComparer.Ordinal)];

    /// <summary>Remembers that the run goes on by itself; before its record says so.</summary>
    public Task BeginAsync(RunKey run) => AskAsync(store => store.SetAddAsync(s_unfinished, run.ToString()));

    /// <summary>Gives a run its name that a lost Redis has forgotten.</summary>
    public Task NameAsync(RunKey run) => AskAsync(store => store.HashSetAsync(s_names, run.Name, run.ToString(), When.NotExists));

    /// <summary>The run has ended or is paused; after its record says so.</summary>
    public Task EndAsync(RunKey run) => AskAsync(store => store.SetRemoveAsync(s_unfinished, run.ToString()));

    /// <summary>Gives the name free.</summary>
    public Task ForgetAsync(RunKey run) => AskAsync(async store =>
    {
        await store.SetRemoveAsync(s_unfinished, run.ToString());
        return await NamedAsync(run.Name) == run && await store.HashDeleteAsync(s_names, run.Name);
    });

    private async Task<RunKey?> NamedAsync(string name)
    {
        var run = await AskAsync(store => store.HashGetAsync(s_names, name));
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
        RedisCall.AskAsync(() => ask(redis.GetDatabase()), line => new StoreAwayException(line));

    private sealed class Nothing : IDisposable
    {
        public static Nothing Held { get; } = new();

        public void Dispose()
        {
        }
    }
}
