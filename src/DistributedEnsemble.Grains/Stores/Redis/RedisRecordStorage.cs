using System.Text.Json;
using DistributedEnsemble.Training;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using Orleans.Storage;

namespace DistributedEnsemble.Grains;

/// <summary>
/// Keeps each run's record in Redis, guarded by its version, and copies it into the run's folder after each write: the folder
/// alone can be evaluated, and resumed if Redis was lost.
/// </summary>
/// <param name="inner">Orleans' storage in Redis.</param>
internal sealed class RedisRecordStorage(IGrainStorage inner, RedisRuns runs, EnsembleTrainingOptions options, ILogger<RedisRecordStorage> log)
    : IGrainStorage
{
    /// <summary>The name of the storage in Redis.</summary>
    public const string InnerName = "ensemble-redis";

    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        await AskAsync(() => inner.ReadStateAsync(stateName, grainId, grainState));
        if (grainState.RecordExists) return;
        var run = RunKey.Parse(grainId.Key.ToString()!);
        // Redis was lost: the copy is the newest that there is, and the next write makes it the record again.
        if (await Task.Run(() => RecordFile<T>.Read(new RunFolder(options.RunsFolder, run.Name), run)) is not { } copy) return;
        (grainState.State, grainState.RecordExists) = (copy.Record, true);
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var run = RunKey.Parse(grainId.Key.ToString()!);
        var goesOn = grainState.State is RunRecord { GoesOn: true };
        // Only a new record names its run: one that was deleted must not take the name again.
        if (grainState.ETag is null) await runs.NameAsync(run);
        if (goesOn) await runs.BeginAsync(run);
        await AskAsync(() => inner.WriteStateAsync(stateName, grainId, grainState));
        await CopyAsync(run, grainState.State);
        if (!goesOn) await runs.EndAsync(run);
    }

    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        await AskAsync(() => inner.ClearStateAsync(stateName, grainId, grainState));
        await runs.ForgetAsync(RunKey.Parse(grainId.Key.ToString()!));
    }

    /// <summary>The record is written already: a copy that fails comes with the next one.</summary>
    private async Task CopyAsync<T>(RunKey run, T? record)
    {
        try
        {
            await Task.Run(() =>
            {
                var folder = new RunFolder(options.RunsFolder, run.Name);
                var json = new RecordFile<T>(VersionIn(folder, run) + 1, run.ToString(), record!).ToJson();
                AtomicFile.Write(folder.Record, stream => stream.Write(json));
            });
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            log.NotCopied(exception, run);
        }

        static long VersionIn(RunFolder folder, RunKey run)
        {
            try
            {
                return RecordFile<JsonElement>.Read(folder, run)?.Version ?? 0;
            }
            catch (InvalidDataException)
            {
                // A damaged copy is replaced.
                return 0;
            }
        }
    }

    private static Task<bool> AskAsync(Func<Task> ask) => RedisCall.AskAsync(
        async () =>
        {
            await ask();
            return true;
        },
        line => new StoreAwayException(line));
}
