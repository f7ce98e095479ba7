using System.Text.Json;
using DistributedEnsemble.Training;
using Orleans.Runtime;
using Orleans.Storage;

namespace DistributedEnsemble.Grains;

/// <summary>
/// Keeps each run's record in its folder, for silos of one process: compared by version and replaced whole, so that a reader
/// finds the previous record or the next one.
/// </summary>
internal sealed class FileRecordStorage(EnsembleTrainingOptions options) : IGrainStorage, IRunDirectory
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
            using var held = RunLock.TryAcquire(Folder(run)) ?? throw new IOException($"Another process changes run \"{run.Name}\".");
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

    public Task<RunKey?> FindAsync(string name)
    {
        var folder = new RunFolder(options.RunsFolder, name);
        var stored = Read<JsonElement>(folder);
        return Task.FromResult(stored is null ? (RunKey?)null : RunKey.Parse(stored.Run));
    }

    private RunFolder Folder(RunKey run) => new(options.RunsFolder, run.Name);

    /// <returns>Null if there is none, or that of another run that has the name now.</returns>
    private Stored<T>? Read<T>(GrainId grainId)
    {
        var run = RunKey.Parse(grainId.Key.ToString()!);
        return Read<T>(Folder(run)) is { } stored && stored.Run == run.ToString() ? stored : null;
    }

    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    private static Stored<T>? Read<T>(RunFolder folder)
    {
        if (!File.Exists(folder.Record)) return null;
        try
        {
            var stored = JsonSerializer.Deserialize<Stored<T>>(File.ReadAllBytes(folder.Record), RunStatusJson.Options);
            return stored is not null && stored.Run.StartsWith($"{folder.Name}@", StringComparison.Ordinal)
                ? stored
                : throw new InvalidDataException($"{folder.Record} is damaged: it is not the record of run \"{folder.Name}\".");
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"{folder.Record} is damaged: {exception.Message}", exception);
        }
    }

    private sealed record Stored<T>(long Version, string Run, T Record);
}
