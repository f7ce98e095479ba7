using System.Collections.Concurrent;
using System.Net;
using Amazon.Runtime;
using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Stores.Files;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;
using Microsoft.Extensions.Logging;
using Orleans.Storage;

namespace DistributedEnsemble.Grains.Stores.Redis;

/// <summary>
/// Copies records to a store of objects after Redis has them: behind the writes, which do not wait for a store that is slow or
/// away, one copy of a run at a time, and the latest record only. A copy takes the place of the one that was found there alone.
/// </summary>
internal sealed class RecordCopies(EnsembleTrainingOptions options, ILogger log)
{
    /// <summary>How often a copy is begun again that another one was written meanwhile.</summary>
    private const int MostTries = 5;

    private readonly ConcurrentDictionary<RunKey, Copying> _runs = new();

    /// <summary>A version that somebody else copied, and that Redis has lost; null if there is none.</summary>
    public RecordVersion? LaterThan(RunKey run, RecordVersion version) =>
        _runs.TryGetValue(run, out var copying) && copying.Found?.Number > version.Number ? copying.Found : null;

    public void Offer(RunKey run, RecordVersion version, RunRecord record) => Give(run, copying => copying.Latest = (version, record));

    /// <summary>
    /// Deletes a file that the record does not name any more, with a copy that is as new as what was offered last: what goes on
    /// from the copy before needs it.
    /// </summary>
    public void Drop(RunKey run, WeightFile file) => Give(run, copying => copying.Dropped.Enqueue((file, copying.Latest?.Version.Number ?? 0)));

    /// <summary>The run is about to be deleted: nothing of it is copied any more.</summary>
    public async Task EndAsync(RunKey run)
    {
        if (!_runs.TryRemove(run, out var copying)) return;
        Task? work;
        lock (copying)
        {
            (copying.IsClosed, copying.Latest, work) = (true, null, copying.Work);
            copying.Dropped.Clear();
        }

        if (work is not null) await work;
    }

    private void Give(RunKey run, Action<Copying> give)
    {
        while (true)
        {
            var copying = _runs.GetOrAdd(run, _ => new Copying());
            lock (copying)
            {
                if (copying.IsForgotten) continue;
                if (copying.IsClosed) return;
                give(copying);
                copying.Work ??= Task.Run(() => CopyAll(run, copying));
                return;
            }
        }
    }

    private void CopyAll(RunKey run, Copying copying)
    {
        while (Take(run, copying) is var (next, dropped))
        {
            try
            {
                if (next is var (version, record)) Copy(run, copying, version, record);
                else if (dropped is not null) options.FolderOf(run.Name).Delete(dropped.File);
            }
            catch (Exception exception) when (next is null)
            {
                // It does no harm, and goes when the run ends.
                log.UnnamedNotRemoved(exception, run);
            }
            catch (Exception exception)
            {
                // The next one is written whole.
                copying.Copied = null;
                log.NotCopied(exception, run);
            }
        }
    }

    /// <returns>What is to be copied, or a file to be deleted; null if there is nothing to do.</returns>
    private ((RecordVersion Version, RunRecord Record)? Next, WeightFile? Dropped)? Take(RunKey run, Copying copying)
    {
        lock (copying)
        {
            if (copying.Latest is { } latest && latest.Version != copying.Tried)
            {
                copying.Tried = latest.Version;
                return (latest, null);
            }

            while (copying.Dropped.TryPeek(out var dropped) && (dropped.Version == 0 || copying.Copied?.Version.Number >= dropped.Version))
            {
                copying.Dropped.Dequeue();
                // A Redis that lost its data may have gone on from a record that names it.
                if (copying.Copied?.Record.Names(dropped.File) != true) return (null, dropped.File);
            }

            copying.Work = null;
            // A run that goes on after a pause is copied whole.
            copying.IsForgotten = !copying.IsBehind && copying.Dropped.Count == 0 && copying.Copied?.Record.GoesOn != true;
            if (copying.IsForgotten) _runs.TryRemove(new KeyValuePair<RunKey, Copying>(run, copying));
            return null;
        }
    }

    private void Copy(RunKey run, Copying copying, RecordVersion version, RunRecord record)
    {
        var folder = options.FolderOf(run.Name);
        var (name, own) = ($"{run.Name}/{RunFolder.RecordFile}", version with { Compared = null });
        for (var tries = MostTries; ; tries--)
        {
            var read = options.Store!.ReadTagged(name);
            var (found, isOthers) = read is { } there ? VersionOf(there.Bytes) : (null, false);
            if (isOthers)
            {
                // The run was deleted, and another one has its name.
                lock (copying)
                {
                    if (copying.Latest?.Version == version) copying.Latest = null;
                    copying.Dropped.Clear();
                }

                return;
            }

            if (found?.Number > version.Number)
            {
                copying.Found = found;
                return;
            }

            try
            {
                var before = copying.Copied is { } copied && copied.Version == found ? copied.Record : null;
                RecordFiles.Write(folder, run, version, before, record, keepsOld: false, state => Replace(state, read?.Tag));
                break;
            }
            catch (InconsistentStateException) when (tries > 1)
            {
                // Whoever coordinated the run before was late, or has a successor: the next look says which.
            }
        }

        lock (copying) copying.Copied = (own, record);

        (RecordVersion? Found, bool IsOthers) VersionOf(byte[] state)
        {
            try
            {
                var found = RecordFiles.VersionOf(state, folder, run);
                return (found, found is null);
            }
            catch (InvalidDataException)
            {
                return (null, false);
            }
        }

        void Replace(byte[] state, string? tag)
        {
            try
            {
                // It may be this very one, whose answer was lost.
                if (options.Store!.TryReplace(name, state, tag) || RecordFiles.VersionIn(folder, run) == own) return;
            }
            catch (StorageAwayException exception) when (exception.InnerException is AmazonServiceException { StatusCode: HttpStatusCode.NotImplemented })
            {
                // It knows no conditions. Redis does, and who begins after a late copy goes on from what Redis has.
                folder.Write(RunFolder.RecordFile, state);
                return;
            }

            throw new InconsistentStateException($"The copy of the record of run \"{run.Name}\" was changed by someone else.");
        }
    }

    private sealed class Copying
    {
        /// <summary>What was offered last; null if nothing was, or nothing is to be copied of it.</summary>
        public (RecordVersion Version, RunRecord Record)? Latest { get; set; }

        /// <summary>The version that was copied last, or whose copy failed.</summary>
        public RecordVersion? Tried { get; set; }

        public (RecordVersion Version, RunRecord Record)? Copied { get; set; }

        public RecordVersion? Found { get; set; }

        /// <summary>Files that go when a version is copied.</summary>
        public Queue<(WeightFile File, long Version)> Dropped { get; } = [];

        public Task? Work { get; set; }

        /// <summary>Whether there is a version that is not copied, or may not be.</summary>
        public bool IsBehind => Latest is { } latest && Copied?.Version.Number != latest.Version.Number;

        public bool IsClosed { get; set; }

        /// <summary>The run does not go on by itself, and all of it is copied: what comes later begins anew.</summary>
        public bool IsForgotten { get; set; }
    }
}
