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

    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var stored = await Task.Run(() => Read<T>(RunKey.Parse(grainId.Key.ToString()!)));
        (grainState.RecordExists, grainState.ETag) = (stored is not null, stored?.Version.ToString());
        if (stored is not null) grainState.State = stored.Record;
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

    public Task<RunKey?> FindAsync(string name) => Task.Run(() => FindIn(options.RunsFolder, name));

    public Task<long> CountAsync() => Task.Run(() =>
        Directory.Exists(options.RunsFolder) ? Directory.EnumerateDirectories(options.RunsFolder).LongCount(folder => RunName.IsValid(Path.GetFileName(folder))) : 0);

    /// <summary>The run that has a folder's name; null without a record.</summary>
    /// <exception cref="InvalidDataException">Its record is damaged.</exception>
    public static RunKey? FindIn(string runsFolder, string name) =>
        RecordFile<JsonElement>.Read(new RunFolder(runsFolder, name)) is { } stored ? RunKey.Parse(stored.Run) : null;

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
                return FindIn(runsFolder, name);
            }
            catch (Exception exception) when (exception is InvalidDataException or IOException or UnauthorizedAccessException)
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
