using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text;
using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Stores.Files;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;
using Orleans.Storage;

namespace DistributedEnsemble.Grains.Stores.Objects;

/// <summary>
/// Keeps each run's record among its objects, for the silo of one process: record.json is replaced only if it still is the one
/// that was read, so of two processes that train one run the first to write goes on, and the other hears of it.
/// </summary>
internal sealed class ObjectRunStore(EnsembleTrainingOptions options) : IRunStore, IRunDirectory, IRunOwnership
{
    private readonly ConcurrentDictionary<string, int> _held = new();

    private ObjectStorage Objects => options.Store!;

    public bool OutlivesProcess => false;

    public Task<StoredRun?> ReadAsync(RunKey run) => Task.Run(() => RecordFiles.Read(Folder(run), run));

    public Task<RecordVersion> WriteAsync(RunKey run, RecordVersion version, RunRecord? before, RunRecord after, RecordVersion? next = null) => Task.Run(() =>
    {
        var (folder, name) = (Folder(run), $"{run.Name}/{RunFolder.RecordFile}");
        var read = Objects.ReadTagged(name);
        var stored = read is { } there ? RecordFiles.VersionOf(there.Bytes, folder, run) : RecordVersion.None;
        // Its answer was lost, and the store was away afterwards.
        if (next is not null && stored == next) return next;
        if (stored != version) throw Changed(run, $"{stored}", version);
        if (read is null && Claimant(run.Name) is { } claimant && claimant != $"{run}") throw Changed(run, $"that of {claimant}", version);
        next ??= version.Next();
        RecordFiles.Write(folder, run, next, before, after, keepsOld: false, state =>
        {
            // It may be this very one, whose answer was lost.
            if (!Objects.TryReplace(name, state, read?.Tag) && RecordFiles.VersionIn(folder, run) is var found && found != next) throw Changed(run, $"{found}", version);
        });
        return next;
    });

    public Task ClearAsync(RunKey run) => Task.Run(() => Folder(run).Delete(RunFolder.RecordFile));

    public Task<RunKey?> FindAsync(string name) => Task.Run(() => RecordFiles.RunIn(options.FolderOf(name)));

    public Task<ImmutableArray<RunKey>> AllAsync(CancellationToken cancellation) => Task.Run(() => RecordFiles.RunsIn(options, cancellation), cancellation);

    public Task<long> CountAsync() => Task.Run(() => (long)options.RunNames().Count);

    /// <summary>None: a process trains the runs that it is asked to.</summary>
    public Task<ImmutableArray<RunKey>> UnfinishedAsync() => Task.FromResult<ImmutableArray<RunKey>>([]);

    /// <summary>Of those that claim a name at once, the store lets one write the claim.</summary>
    public Task<IDisposable?> ClaimAsync(RunKey run) => Task.Run<IDisposable?>(() =>
    {
        var name = ObjectStorage.ClaimOf(run.Name);
        if (IsTaken()) return null;
        var there = Objects.ReadTagged(name);
        if (there is not null && there.Text != $"{run}" && Objects.IsAtWork(there.Written)) return null;
        Objects.TryReplace(name, Encoding.UTF8.GetBytes($"{run}"), there?.Tag);
        // Where it was written and the answer was lost, it is there; where a deletion took it along, it is not.
        if (IsTaken() || Claimant(run.Name) != $"{run}") return null;
        Objects.Prepare(run.Name);
        return new Hold(_held, run.Name);

        bool IsTaken() => Folder(run).Exists(RunFolder.RecordFile) || Objects.IsBeingRemoved(run.Name);
    });

    /// <summary>Unless another run has the name by now.</summary>
    public Task<bool> UnclaimAsync(RunKey run) => Task.Run(() => Objects.RemoveAsync(run.Name, () => Task.FromResult(
        (Claimant(run.Name) ?? $"{run}") == $"{run}" && (RecordFiles.RunIn(Folder(run)) ?? run) == run)));

    /// <returns>The run that claimed a name last; null if none did.</returns>
    private string? Claimant(string name) => Objects.ReadTagged(ObjectStorage.ClaimOf(name))?.Text;

    /// <summary>Of two processes that think so the record's version decides.</summary>
    public Task<IDisposable?> TryHoldAsync(RunFolder folder) => Task.Run<IDisposable?>(() =>
        _held.ContainsKey(folder.Name) || !folder.Storage.IsInTraining(folder) ? new Hold(_held, folder.Name) : null);

    private RunFolder Folder(RunKey run) => options.FolderOf(run.Name);

    /// <summary>This process has the run.</summary>
    private sealed class Hold : IDisposable
    {
        private readonly ConcurrentDictionary<string, int> _held;
        private readonly string _run;

        public Hold(ConcurrentDictionary<string, int> held, string run)
        {
            (_held, _run) = (held, run);
            held.AddOrUpdate(run, 1, (_, holders) => holders + 1);
        }

        public void Dispose()
        {
            if (_held.AddOrUpdate(_run, 0, (_, holders) => holders - 1) <= 0) _held.TryRemove(new KeyValuePair<string, int>(_run, 0));
        }
    }

    private static InconsistentStateException Changed(RunKey run, string stored, RecordVersion expected) =>
        new($"The record of run \"{run.Name}\" was changed by someone else.", stored, $"{expected}");
}
