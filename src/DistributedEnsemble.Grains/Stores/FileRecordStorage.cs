using System.Text.Json;
using DistributedEnsemble.Training;
using Orleans.Runtime;
using Orleans.Storage;

namespace DistributedEnsemble.Grains;

/// <summary>
/// Keeps each run's record in its folder, for silos of one process: compared by version and replaced whole, so that a reader
/// finds the previous record or the next one.
/// </summary>
internal sealed class FileRecordStorage(EnsembleTrainingOptions options) : IGrainStorage
{
    /// <summary>The storage's name for <see cref="PersistentStateAttribute"/>.</summary>
    public const string Name = "ensemble-records";

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var stored = Read<T>(grainId);
        (grainState.RecordExists, grainState.ETag) = (stored is not null, stored?.Version.ToString());
        if (stored is not null) grainState.State = stored.Record;
        return Task.CompletedTask;
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var run = RunKey.Parse(grainId.Key.ToString()!);
        var version = long.Parse(grainState.ETag ?? "0") + 1;
        var json = JsonSerializer.SerializeToUtf8Bytes(new Stored<T>(version, run.ToString(), grainState.State!), RunStatusJson.Options);
        await Task.Run(() =>
        {
            using var held = RunLock.Acquire(Folder(run));
            var stored = Read<T>(grainId)?.Version ?? 0;
            if (stored != version - 1)
            {
                throw new InconsistentStateException(
                    $"The record of run \"{run.Name}\" was changed by someone else.", stored.ToString(), grainState.ETag ?? "0");
            }

            AtomicFile.Write(Folder(run).Record, stream => stream.Write(json));
        });
        (grainState.RecordExists, grainState.ETag) = (true, version.ToString());
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        File.Delete(Folder(RunKey.Parse(grainId.Key.ToString()!)).Record);
        (grainState.RecordExists, grainState.ETag) = (false, null);
        return Task.CompletedTask;
    }

    private RunFolder Folder(RunKey run) => new(options.RunsFolder, run.Name);

    private Stored<T>? Read<T>(GrainId grainId)
    {
        var run = RunKey.Parse(grainId.Key.ToString()!);
        var path = Folder(run).Record;
        if (!File.Exists(path)) return null;
        try
        {
            var stored = JsonSerializer.Deserialize<Stored<T>>(File.ReadAllBytes(path), RunStatusJson.Options);
            return stored?.Run == run.ToString() ? stored : null;
        }
        catch (JsonException exception)
        {
            throw new IOException($"{path} is damaged: {exception.Message}", exception);
        }
    }

    private sealed record Stored<T>(long Version, string Run, T Record);
}
