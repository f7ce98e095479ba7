using System.Collections.Concurrent;
using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Stores.Files;
using DistributedEnsemble.Runs;
using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Grains.Stores.Redis;

/// <summary>
/// Copies records to a store of objects after Redis has them: behind the writes, which do not wait for a store that is slow or
/// away, one copy of a run at a time, and the latest record only.
/// </summary>
internal sealed class RecordCopies(EnsembleTrainingOptions options, ILogger log)
{
    private readonly ConcurrentDictionary<RunKey, Copying> _runs = new();

    /// <summary>A version that somebody else copied, and that Redis has lost; null if there is none.</summary>
    public RecordVersion? LaterThan(RunKey run, RecordVersion version) =>
        _runs.TryGetValue(run, out var copying) && copying.Found?.Number > version.Number ? copying.Found : null;

    public void Offer(RunKey run, RecordVersion version, RunRecord record)
    {
        var copying = _runs.GetOrAdd(run, _ => new Copying());
        lock (copying)
        {
            if (copying.IsClosed) return;
            (copying.Next, copying.IsBehind) = ((version, record), true);
            if (copying.Work is null) copying.Work = Task.Run(() => CopyAll(run, copying));
        }
    }

    /// <inheritdoc cref="IRunStore.SettleAsync"/>
    public async Task<bool> SettleAsync(RunKey run)
    {
        if (!_runs.TryGetValue(run, out var copying)) return true;
        Task? work;
        lock (copying) work = copying.Work;
        if (work is not null) await work;
        lock (copying) return !copying.IsBehind;
    }

    /// <summary>The run is about to be deleted: nothing of it is copied any more.</summary>
    public async Task EndAsync(RunKey run)
    {
        if (!_runs.TryRemove(run, out var copying)) return;
        Task? work;
        lock (copying) (copying.IsClosed, copying.Next, work) = (true, null, copying.Work);
        if (work is not null) await work;
    }

    private void CopyAll(RunKey run, Copying copying)
    {
        while (true)
        {
            RecordVersion version;
            RunRecord record;
            lock (copying)
            {
                if (copying.Next is not { } next)
                {
                    copying.Work = null;
                    return;
                }

                ((version, record), copying.Next) = (next, null);
            }

            try
            {
                Copy(run, copying, version, record);
            }
            catch (Exception exception)
            {
                // The next one is written whole.
                copying.Copied = null;
                log.NotCopied(exception, run);
            }
        }
    }

    private void Copy(RunKey run, Copying copying, RecordVersion version, RunRecord record)
    {
        var folder = options.FolderOf(run.Name);
        var found = Found();
        if (found?.Number > version.Number)
        {
            copying.Found = found;
            return;
        }

        var before = copying.Copied is { } copied && copied.Version == found ? copied.Record : null;
        RecordFiles.Write(folder, run, version, before, record, keepsOld: false);
        copying.Copied = (version with { Compared = null }, record);
        lock (copying) copying.IsBehind = copying.Next is not null;

        RecordVersion? Found()
        {
            try
            {
                return RecordFiles.VersionIn(folder, run);
            }
            catch (InvalidDataException)
            {
                return null;
            }
        }
    }

    private sealed class Copying
    {
        public (RecordVersion Version, RunRecord Record)? Next { get; set; }

        public (RecordVersion Version, RunRecord Record)? Copied { get; set; }

        public RecordVersion? Found { get; set; }

        public Task? Work { get; set; }

        /// <summary>Whether there is a version that is not copied, or may not be.</summary>
        public bool IsBehind { get; set; }

        public bool IsClosed { get; set; }
    }
}
