using System.Collections.Immutable;
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
        var stored = Read<T>(RunKey.Parse(grainId.Key.ToString()!));
        (grainState.RecordExists, grainState.ETag) = (stored is not null, stored?.Version.ToString());
        if (stored is not null) grainState.State = stored.Record;
        return Task.CompletedTask;
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var run = RunKey.Parse(grainId.Key.ToString()!);
        var version = long.Parse(grainState.ETag ?? "0") + 1;
        var json = new RecordFile<T>(version, run.ToString(), grainState.State!).ToJson();
        await Task.Run(() =>
        {
            using var held = RunLock.TryAcquire(Folder(run)) ?? throw new IOException($"Another process changes run \"{run.Name}\".");
            var stored = Read<T>(run)?.Version ?? 0;
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
        var stored = RecordFile<JsonElement>.Read(folder);
        return Task.FromResult(stored is null ? (RunKey?)null : RunKey.Parse(stored.Run));
    }

    public Task<ImmutableArray<RunKey>> AllAsync() => Task.Run(() => FoldersOf(options.RunsFolder));

    /// <summary>The runs whose folders are there, by name; one whose record is damaged is left out.</summary>
    public static ImmutableArray<RunKey> FoldersOf(string runsFolder)
    {
        if (!Directory.Exists(runsFolder)) return [];
        return [.. Directory.EnumerateDirectories(runsFolder)
            .Select(folder => Path.GetFileName(folder)!).Where(RunName.IsValid).Order(StringComparer.Ordinal)
            .Select(TryRead).OfType<RunKey>()];

        RunKey? TryRead(string name)
        {
            try
            {
                return RecordFile<JsonElement>.Read(new RunFolder(runsFolder, name)) is { } stored ? RunKey.Parse(stored.Run) : null;
            }
            catch (InvalidDataException)
            {
                return null;
            }
        }
    }

    /// <summary>None: a process trains the runs that it is asked to.</summary>
    public Task<ImmutableArray<RunKey>> UnfinishedAsync() => Task.FromResult<ImmutableArray<RunKey>>([]);

    private RecordFile<T>? Read<T>(RunKey run) => RecordFile<T>.Read(Folder(run), run);

    private RunFolder Folder(RunKey run) => new(options.RunsFolder, run.Name);
}
