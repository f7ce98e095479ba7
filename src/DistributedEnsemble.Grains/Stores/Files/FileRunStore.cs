using System.Collections.Immutable;
using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;
using Orleans.Storage;

namespace DistributedEnsemble.Grains.Stores.Files;

/// <summary>Keeps each run's record in its folder, for silos of one process: what changes it holds the folder's lock, and compares the version.</summary>
internal sealed class FileRunStore(EnsembleTrainingOptions options) : IRunStore, IRunDirectory
{
    private const int Gates = 64;

    /// <summary>The silos of a process share the folder's lock: within it, one at a time compares and writes.</summary>
    private static readonly ImmutableArray<Lock> s_gates = [.. Enumerable.Range(0, Gates).Select(_ => new Lock())];

    public Task<StoredRun?> ReadAsync(RunKey run) => Task.Run(() => RecordFiles.Read(Folder(run), run));

    public Task<RecordVersion> WriteAsync(RunKey run, RecordVersion version, RunRecord? before, RunRecord after, RecordVersion? next = null) => Task.Run(async () =>
    {
        var folder = Folder(run);
        using var held = await RunLock.TryAcquireAsync(folder) ?? throw new IOException($"Another process changes run \"{run.Name}\".");
        lock (s_gates[(folder.Root.GetHashCode() & int.MaxValue) % Gates])
        {
            var stored = RecordFiles.VersionIn(folder, run) ?? RecordVersion.None;
            if (stored != version) throw new InconsistentStateException($"The record of run \"{run.Name}\" was changed by someone else.", $"{stored}", $"{version}");
            next ??= version.Next();
            RecordFiles.Write(folder, run, next, before, after, keepsOld: false);
            return next;
        }
    });

    public Task ClearAsync(RunKey run) => Task.Run(() => File.Delete(Folder(run).Record));

    public Task<RunKey?> FindAsync(string name) => Task.Run(() => RecordFiles.RunIn(new RunFolder(options.RunsFolder, name)));

    public Task<long> CountAsync() => Task.Run(() =>
        Directory.Exists(options.RunsFolder) ? Directory.EnumerateDirectories(options.RunsFolder).LongCount(folder => RunName.IsValid(Path.GetFileName(folder))) : 0);

    public Task<ImmutableArray<RunKey>> AllAsync(CancellationToken cancellation) => Task.Run(() => RecordFiles.RunsIn(options, cancellation), cancellation);

    /// <summary>None: a process trains the runs that it is asked to.</summary>
    public Task<ImmutableArray<RunKey>> UnfinishedAsync() => Task.FromResult<ImmutableArray<RunKey>>([]);

    private RunFolder Folder(RunKey run) => new(options.RunsFolder, run.Name);
}
