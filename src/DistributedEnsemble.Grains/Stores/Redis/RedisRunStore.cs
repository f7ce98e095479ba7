using System.Collections.Concurrent;
using System.Globalization;
using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Stores.Files;
using DistributedEnsemble.Grains.Telemetry;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;
using Microsoft.Extensions.Logging;
using Orleans.Storage;
using StackExchange.Redis;

namespace DistributedEnsemble.Grains.Stores.Redis;

/// <summary>
/// Keeps each run's record in Redis, guarded by its version, and adds what has changed to the copy among the run's files after
/// each write: the files alone can be evaluated, and resumed if Redis was lost.
/// </summary>
/// <remarks>
/// A hash has the version, the state and the definition; another what each member goes on from; a list has the snapshots of all
/// members, and a list for each member the folded hand-overs that are remembered.
/// </remarks>
internal sealed class RedisRunStore(IConnectionMultiplexer redis, EnsembleTrainingOptions options, ILogger<RedisRunStore> log) : IRunStore
{
    /// <summary>Null where the copies are in a folder, and made with the writes.</summary>
    private readonly RecordCopies? _copies = options.Store is null ? null : new RecordCopies(options, log);

    /// <summary>The runs whose copy in the folder could not be written last.</summary>
    private readonly ConcurrentDictionary<RunKey, bool> _behind = new();

    /// <summary>Compares and writes in one step; a version that is another one comes back as it is.</summary>
    private const string WriteScript = """
        local stored = redis.call('HGET', KEYS[1], 'version') or ''
        if stored ~= ARGV[1] then return stored end
        if ARGV[4] ~= '' then
          local named = redis.call('HGET', KEYS[5], ARGV[5])
          if named and named ~= ARGV[6] then return 'that of ' .. named end
          for _, member in ipairs(redis.call('HKEYS', KEYS[2])) do redis.call('DEL', KEYS[4] .. member) end
          redis.call('DEL', KEYS[2], KEYS[3])
          redis.call('HSET', KEYS[1], 'definition', ARGV[4])
          redis.call('HSETNX', KEYS[5], ARGV[5], ARGV[6])
        end
        redis.call('HSET', KEYS[1], 'version', ARGV[2], 'state', ARGV[3])
        redis.call(ARGV[7], KEYS[6], ARGV[6])
        local at = 9
        for _ = 1, ARGV[8] do
          local member, snapshots, folded = ARGV[at], ARGV[at + 2], ARGV[at + 3]
          redis.call('HSET', KEYS[2], member, ARGV[at + 1])
          at = at + 4
          for _ = 1, snapshots do redis.call('RPUSH', KEYS[3], ARGV[at]); at = at + 1 end
          for _ = 1, folded do redis.call('RPUSH', KEYS[4] .. member, ARGV[at]); at = at + 1 end
          if folded ~= '0' then redis.call('LTRIM', KEYS[4] .. member, -tonumber(ARGV[#ARGV]), -1) end
        end
        return false
        """;

    /// <summary>All of one moment.</summary>
    private const string ReadScript = """
        local head = redis.call('HMGET', KEYS[1], 'version', 'state', 'definition')
        if not head[1] then return false end
        local members, folded = redis.call('HGETALL', KEYS[2]), {}
        for i = 1, #members, 2 do
          for _, file in ipairs(redis.call('LRANGE', KEYS[4] .. members[i], 0, -1)) do folded[#folded + 1] = file end
        end
        return {head[1], head[2], head[3], members, redis.call('LRANGE', KEYS[3], 0, -1), folded}
        """;

    private const string ClearScript = """
        for _, member in ipairs(redis.call('HKEYS', KEYS[2])) do redis.call('DEL', KEYS[4] .. member) end
        redis.call('SREM', KEYS[6], ARGV[1])
        return redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
        """;

    private const string ForgetUnwrittenScript = """
        if redis.call('EXISTS', KEYS[1]) == 1 or redis.call('HGET', KEYS[5], ARGV[2]) ~= ARGV[1] then return 0 end
        return redis.call('HDEL', KEYS[5], ARGV[2])
        """;

    public async Task<StoredRun?> ReadAsync(RunKey run)
    {
        var stored = Parse(await AskAsync(store => store.ScriptEvaluateAsync(ReadScript, KeysOf(run))), run);
        return await Task.Run(() => RecordVersion.Later(stored, CopyLaterThan(stored?.Version, run)));
    }

    public async Task<RecordVersion> WriteAsync(RunKey run, RecordVersion version, RunRecord? before, RunRecord after, RecordVersion? next = null)
    {
        var expected = version.Expected;
        next ??= version.Next();
        var copied = _copies is null ? await Task.Run(() => CopiedVersion(run)) : _copies.LaterThan(run, version);
        // Redis has lost what came after this version: one that lives on in the past would find its version there again.
        if (copied?.Number > version.Number) throw Changed(run, $"{copied}", version);
        var change = RecordChange.Between(version.Compared is null ? before : null, after);
        var arguments = Arguments(run, expected, next, change, after);
        Measurements.RecordBytes.Add(arguments.Sum(argument => argument.Length()), Measurements.ToRedis);
        var found = await AskAsync(store => store.ScriptEvaluateAsync(WriteScript, KeysOf(run), arguments));
        if (!found.IsNull) throw Changed(run, found.ToString(), expected);
        if (_copies is not null)
        {
            _copies.Offer(run, next, after);
            return next;
        }

        var isCopied = copied is not null && (copied.Number, copied.Writer) == (version.Number, version.Writer);
        await CopyAsync(run, next, isCopied ? before : null, after);
        return next;
    }

    public async Task ClearAsync(RunKey run)
    {
        if (_copies is not null) await _copies.EndAsync(run);
        _behind.TryRemove(run, out _);
        await AskAsync(store => ForgetAsync(store, run));
    }

    /// <summary>Removes all that Redis has of a run, its name last.</summary>
    /// <returns>Whether it had its name.</returns>
    internal static async Task<bool> ForgetAsync(IDatabase store, RunKey run)
    {
        await store.ScriptEvaluateAsync(ClearScript, KeysOf(run), [run.ToString()]);
        return await store.HashGetAsync(RedisRuns.Names, run.Name) == run.ToString() && await store.HashDeleteAsync(RedisRuns.Names, run.Name);
    }

    /// <summary>Gives the name of a run free that has no record: in one step with the look.</summary>
    /// <returns>Whether it had its name, and no record.</returns>
    internal static async Task<bool> ForgetUnwrittenAsync(IDatabase store, RunKey run) =>
        (bool)await store.ScriptEvaluateAsync(ForgetUnwrittenScript, KeysOf(run), [run.ToString(), run.Name]);

    public Task DropAsync(RunFolder folder, RunKey run, WeightFile file)
    {
        _copies?.Drop(run, file);
        return _copies is not null || _behind.ContainsKey(run) ? Task.CompletedTask : Task.Run(() => folder.Delete(file.File));
    }

    private static RedisKey[] KeysOf(RunKey run)
    {
        var stem = $"ensemble/run/{run}";
        return [$"{stem}/head", $"{stem}/members", $"{stem}/snapshots", $"{stem}/folded/", RedisRuns.Names, RedisRuns.Unfinished];
    }

    private static RedisValue[] Arguments(RunKey run, RecordVersion expected, RecordVersion next, RecordChange change, RunRecord after)
    {
        List<RedisValue> arguments =
        [
            expected == RecordVersion.None ? "" : $"{expected}", $"{next}", RecordText.Of(RecordHead.Of(run, next, after)),
            change.IsWhole ? RecordText.Of(RecordDefinition.Of(after, change.MemberCount)) : "",
            run.Name, run.ToString(), after.GoesOn ? "SADD" : "SREM", change.Members.Length,
        ];
        foreach (var member in change.Members)
        {
            arguments.AddRange([member.Index, RecordText.Of(member with { Snapshots = [], Folded = [] }), member.Snapshots.Length, member.Folded.Length]);
            foreach (var snapshot in member.Snapshots) arguments.Add(RecordText.Of(snapshot));
            foreach (var folded in member.Folded) arguments.Add(RecordText.Of(folded));
        }

        arguments.Add(MemberRecord.FoldedRemembered);
        return [.. arguments];
    }

    private static StoredRun? Parse(RedisResult result, RunKey run)
    {
        if (result.IsNull) return null;
        var (parts, place) = ((RedisResult[])result!, $"The record of run \"{run.Name}\" in Redis");
        if (parts is not [var version, var state, var definition, var members, var snapshots, var folded] || state.IsNull || definition.IsNull || ParseVersion(version.ToString()) is not { } at)
            throw new InvalidDataException($"{place} is damaged: it is not all there.");
        var made = RecordText.ReadDefinition((byte[])definition!, place);
        var known = MemberRecords.New(made.Members).ToArray();
        var values = (byte[][])members!;
        for (var i = 1; i < values.Length; i += 2)
        {
            var member = RecordText.ReadMember(values[i], known.Length, place);
            known[member.Index] = member;
        }

        foreach (var files in Files(snapshots)) known[files.Key] = known[files.Key] with { Snapshots = [.. files] };
        foreach (var files in Files(folded)) known[files.Key] = known[files.Key] with { Folded = [.. files] };
        return new StoredRun(RecordText.Read<RecordHead>((byte[])state!, place).Record(made, MemberRecords.Of(known)), at);

        IEnumerable<IGrouping<int, WeightFile>> Files(RedisResult list) =>
            ((byte[][])list!).Select(json => RecordText.ReadFile(json, place)).Where(file => file.Member >= 0 && file.Member < known.Length).GroupBy(file => file.Member);
    }

    private static RecordVersion? ParseVersion(string text) =>
        text.Split('-') is [var number, var writer] && long.TryParse(number, CultureInfo.InvariantCulture, out var value) ? new RecordVersion(value, writer) : null;

    /// <returns>Null if the folder has none that Redis does not have.</returns>
    private StoredRun? CopyLaterThan(RecordVersion? stored, RunKey run)
    {
        var folder = options.FolderOf(run.Name);
        try
        {
            return RecordFiles.VersionIn(folder, run) is { } copy && copy.Number > (stored?.Number ?? 0) ? RecordFiles.Read(folder, run) : null;
        }
        catch (Exception exception) when (exception is InvalidDataException or StorageAwayException && stored is not null)
        {
            // A damaged copy is replaced by the next write; for one that is away nobody waits.
            return null;
        }
    }

    /// <summary>The record is written already: a copy that fails is written whole with the next one.</summary>
    private async Task CopyAsync(RunKey run, RecordVersion next, RunRecord? before, RunRecord after)
    {
        try
        {
            await Task.Run(() =>
            {
                // Whoever went on with the run has written a later one.
                if (CopiedVersion(run)?.Number > next.Number) return;
                RecordFiles.Write(options.FolderOf(run.Name), run, next, before, after, keepsOld: true);
            });
            _behind.TryRemove(run, out _);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            _behind[run] = true;
            log.NotCopied(exception, run);
        }
    }

    /// <returns>Null if there is none that can be read: the next copy is written whole.</returns>
    private RecordVersion? CopiedVersion(RunKey run)
    {
        try
        {
            return RecordFiles.VersionIn(options.FolderOf(run.Name), run);
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static InconsistentStateException Changed(RunKey run, string stored, RecordVersion expected) =>
        new($"The record of run \"{run.Name}\" was changed by someone else.", stored, $"{expected}");

    private Task<T> AskAsync<T>(Func<IDatabase, Task<T>> ask) =>
        RedisCall.AskAsync(() => ask(redis.GetDatabase()), line => new RecordsAwayException(line));
}
