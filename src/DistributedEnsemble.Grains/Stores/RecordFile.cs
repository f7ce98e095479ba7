using System.Text.Json;
using DistributedEnsemble.Training;

namespace DistributedEnsemble.Grains;

/// <summary>A run's record in its folder, replaced whole: a reader finds the one before or the next one.</summary>
/// <param name="Version">Grows with every write.</param>
/// <param name="Run">The run's key: the folder may be another run's by now.</param>
internal sealed record RecordFile<T>(long Version, string Run, T Record)
{
    /// <returns>Null if there is none.</returns>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public static RecordFile<T>? Read(RunFolder folder)
    {
        if (!File.Exists(folder.Record)) return null;
        try
        {
            var stored = JsonSerializer.Deserialize<RecordFile<T>>(RegularFile.ReadAllBytes(folder.Runs, folder.Record), RunStatusJson.Options);
            return RunKey.TryParse(stored?.Run) is { } run && run.Name == folder.Name
                ? stored!
                : throw new InvalidDataException($"{folder.Record} is damaged: it is not the record of run \"{folder.Name}\".");
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException(
                $"{folder.Record} is damaged: it is not the JSON of a run's record (line {exception.LineNumber + 1 ?? 1}, at {exception.Path ?? "$"}).", exception);
        }
    }

    /// <returns>Null if there is none, or that of another run that has the name now.</returns>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public static RecordFile<T>? Read(RunFolder folder, RunKey run) => Read(folder) is { } stored && stored.Run == run.ToString() ? stored : null;

    /// <summary>Whether the run was deleted, and its folder with it, which may be that of another run by now.</summary>
    public static bool IsGone(RunFolder folder, RunKey run)
    {
        try
        {
            return Read(folder, run) is null;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, RunStatusJson.Options);
}
