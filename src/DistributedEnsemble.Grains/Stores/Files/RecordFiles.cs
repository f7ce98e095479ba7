using System.Text.Json;
using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Telemetry;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Stores.Files;

/// <summary>
/// A record in its run's folder: record.json is its state and names how much of the log counts, so that a reader finds one
/// version or the next, and a last line that is torn is none.
/// </summary>
internal static class RecordFiles
{
    /// <summary>A log is written anew when most of it is of the past: then each byte is written twice at most, on average.</summary>
    private const int LeastCompacted = 4 << 20, Garbage = 3;

    private const int MostTries = 5;
    private const long MostLogBytes = int.MaxValue;

    /// <summary>The run that has a folder's name; null without a record.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public static RunKey? RunIn(RunFolder folder) => ReadState(folder) is { } state ? RunKey.Parse(state.Run) : null;

    /// <returns>Null if there is none, or that of another run that has the name now.</returns>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public static RecordVersion? VersionIn(RunFolder folder, RunKey run) => ReadState(folder, run)?.Version;

    /// <summary>Whether the run was deleted, and its folder with it, which may be that of another run by now.</summary>
    public static bool IsGone(RunFolder folder, RunKey run)
    {
        try
        {
            return ReadState(folder, run) is null;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    /// <returns>Null if there is none.</returns>
    /// <exception cref="InvalidDataException">A file of it is damaged.</exception>
    public static (RunKey Run, StoredRun Stored)? Read(RunFolder folder)
    {
        for (var tries = MostTries; ; tries--)
        {
            if (ReadState(folder) is not { } state) return null;
            var run = RunKey.Parse(state.Run);
            if (state.Head is not { } head) return (run, state.Earlier!.Migrated());
            try
            {
                return (run, new StoredRun(head.Record(ReadDefinition(folder), ReadLog(folder, head)), head.At));
            }
            // It was written anew meanwhile.
            catch (FileNotFoundException) when (tries > 0 && ReadState(folder)?.Head?.Log != head.Log)
            {
            }
            catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
            {
                throw new InvalidDataException($"{folder.Record} is damaged: it names a file that is missing. {exception.Message}", exception);
            }
        }
    }

    /// <returns>Null if there is none, or that of another run that has the name now.</returns>
    /// <inheritdoc cref="Read(RunFolder)"/>
    public static StoredRun? Read(RunFolder folder, RunKey run) => Read(folder) is var (key, stored) && key == run ? stored : null;

    /// <summary>Adds what has changed to the log, and then names it.</summary>
    /// <param name="before">The record of the version that the folder has; null writes all of it anew.</param>
    /// <param name="keepsOld">Whether a log that is no longer named stays: someone who has not noticed may still name it.</param>
    public static void Write(RunFolder folder, RunKey run, RecordVersion version, RunRecord? before, RunRecord after, bool keepsOld)
    {
        var old = before is null ? TryReadHead(folder, run) : ReadState(folder, run)?.Head;
        var change = RecordChange.Between(old is null || IsMostlyPast(old) ? null : before, after);
        var lines = RecordText.Lines(change.Members);
        var head = RecordHead.Of(run, version, after);
        if (change.IsWhole)
        {
            var definition = RecordText.Of(RecordDefinition.Of(after, change.MemberCount));
            if (!Has(folder, definition)) folder.Write(RunFolder.RecordDefinitionFile, stream => stream.Write(definition));
            head = head with { Log = RunFolder.RecordLog(version.Number, version.Writer!), Length = lines.Length, Whole = lines.Length };
            folder.Write(head.Log, stream => stream.Write(lines));
        }
        else
        {
            head = head with { Log = old!.Log, Length = old.Length + lines.Length, Whole = old.Whole };
            if (lines.Length > 0) Append(folder, folder.Path(head.Log!), old.Length, lines);
        }

        var json = RecordText.Of(head);
        Measurements.RecordBytes.Add(lines.Length + json.Length, Measurements.ToFiles);
        folder.Write(RunFolder.RecordFile, stream => stream.Write(json));
        if (change.IsWhole && old is not null && !keepsOld) FileOperations.Delete(folder.Path(old.Log!));
    }

    /// <summary>Whether a file of a run's folder is a log that its record does not name.</summary>
    public static Func<string, bool> UnnamedLogs(RunFolder folder)
    {
        var named = ReadState(folder)?.Head?.Log;
        return relative => relative.StartsWith($"{RunFolder.RecordLogs}/", StringComparison.Ordinal) && relative != RunFolder.RecordDefinitionFile && relative != named;
    }

    private static bool IsMostlyPast(RecordHead head) => head.Length > LeastCompacted && head.Length > Garbage * head.Whole;

    /// <summary>What follows the place is a line that was never named: it goes.</summary>
    private static void Append(RunFolder folder, string path, long place, byte[] lines)
    {
        FileOperations.Before("append", path);
        using var file = RegularFile.OpenWrite(folder.Runs, path, creates: false);
        if (file.Length < place) throw TooShort(path, file.Length, place);
        file.Position = place;
        file.Write(lines);
        if (file.Length > place + lines.Length) file.SetLength(place + lines.Length);
        FileOperations.Before("flush", path);
        file.Flush(flushToDisk: true);
    }

    private static State? ReadState(RunFolder folder)
    {
        if (!File.Exists(folder.Record)) return null;
        var json = RegularFile.ReadAllBytes(folder.Runs, folder.Record);
        var isOfNow = RecordText.Read<JsonElement>(json, folder.Record) is { ValueKind: JsonValueKind.Object } element && element.TryGetProperty("format", out _);
        var head = isOfNow ? RecordText.Read<RecordHead>(json, folder.Record) : null;
        var earlier = isOfNow ? null : RecordText.Read<EarlierRecord>(json, folder.Record);
        var run = head?.Run ?? earlier!.Run;
        if (RunKey.TryParse(run) is not { } key || key.Name != folder.Name || (head is null && earlier?.Record is null))
            throw new InvalidDataException($"{folder.Record} is damaged: it is not the record of run \"{folder.Name}\".");
        if (head is { Format: not RecordHead.CurrentFormat })
            throw new InvalidDataException($"{folder.Record} is of format {head.Format}, and this version reads up to {RecordHead.CurrentFormat}: use the newer version that wrote it.");
        if (head is { Log: null }) throw new InvalidDataException($"{folder.Record} is damaged: it names no log.");
        return new State(run, head, earlier);
    }

    private static State? ReadState(RunFolder folder, RunKey run) => ReadState(folder) is { } state && state.Run == run.ToString() ? state : null;

    /// <summary>A record that is damaged is replaced.</summary>
    private static RecordHead? TryReadHead(RunFolder folder, RunKey run)
    {
        try
        {
            return ReadState(folder, run)?.Head;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static RecordDefinition ReadDefinition(RunFolder folder)
    {
        var path = folder.Path(RunFolder.RecordDefinitionFile);
        return RecordText.Read<RecordDefinition>(RegularFile.ReadAllBytes(folder.Runs, path), path);
    }

    private static MemberRecords ReadLog(RunFolder folder, RecordHead head)
    {
        var path = folder.Path(head.Log!);
        var members = ReadDefinition(folder).Members;
        using var file = RegularFile.OpenRead(folder.Runs, path);
        if (head.Length is < 0 or > MostLogBytes) throw new InvalidDataException($"{folder.Record} is damaged: it names {head.Length} bytes of {head.Log}.");
        if (file.Length < head.Length) throw TooShort(path, file.Length, head.Length);
        var lines = new byte[head.Length];
        file.ReadExactly(lines);
        return RecordText.ReadLines(lines, members, path);
    }

    private static bool Has(RunFolder folder, byte[] definition)
    {
        try
        {
            return RegularFile.ReadAllBytes(folder.Runs, folder.Path(RunFolder.RecordDefinitionFile)).AsSpan().SequenceEqual(definition);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException or InvalidDataException)
        {
            return false;
        }
    }

    private static InvalidDataException TooShort(string path, long length, long named) =>
        new($"{path} is damaged: it has {length} bytes, and the run's record names {named}. Bring the file back, or train anew under another name.");

    private sealed record State(string Run, RecordHead? Head, EarlierRecord? Earlier)
    {
        public RecordVersion Version => Head?.At ?? new RecordVersion(Earlier!.Version, null);
    }
}
