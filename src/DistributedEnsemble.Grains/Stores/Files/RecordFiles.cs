using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Telemetry;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Stores.Files;

/// <summary>
/// A record among its run's files: record.json is its state and names how much of the log counts, so that a reader finds one
/// version or the next, and a last line that is torn is none. Where files do not grow, the log is a few files.
/// </summary>
internal static class RecordFiles
{
    /// <summary>A log is written anew when most of it is of the past: then each byte is written twice at most, on average.</summary>
    private const int LeastCompacted = 4 << 20, Garbage = 3;

    private const int MostTries = 5;
    private const long MostLogBytes = int.MaxValue;

    /// <summary>The runs that are there, by name; one whose record is damaged is left out.</summary>
    public static ImmutableArray<RunKey> RunsIn(EnsembleTrainingOptions options, CancellationToken cancellation = default)
    {
        return [.. options.RunNames().Select(TryRead).OfType<RunKey>()];

        RunKey? TryRead(string name)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                return RunIn(options.FolderOf(name));
            }
            catch (Exception exception) when (exception is InvalidDataException or IOException or UnauthorizedAccessException)
            {
                return null;
            }
        }
    }

    /// <summary>The run that has a folder's name; null without a record.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public static RunKey? RunIn(RunFolder folder) => ReadState(folder) is { } state ? RunKey.Parse(state.Run) : null;

    /// <summary>What version a record.json is of; null if it is that of another run that has the name now.</summary>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static RecordVersion? VersionOf(byte[] state, RunFolder folder, RunKey run) => Parse(folder, state) is var parsed && parsed.Run == run.ToString() ? parsed.Version : null;

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
                return (run, new StoredRun(head.Record(ReadDefinition(folder, head), ReadLog(folder, head)), head.At));
            }
            // It was written anew meanwhile.
            catch (FileNotFoundException) when (tries > 0 && ReadState(folder)?.Head?.At != head.At)
            {
            }
            catch (FileNotFoundException exception)
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
    /// <param name="writeState">Writes record.json, which makes the rest count; null just replaces it.</param>
    public static void Write(
        RunFolder folder, RunKey run, RecordVersion version, RunRecord? before, RunRecord after, bool keepsOld, Action<byte[]>? writeState = null)
    {
        var old = before is null ? TryReadHead(folder, run) : ReadState(folder, run)?.Head;
        var change = RecordChange.Between(old is null || IsMostlyPast(old) ? null : before, after);
        var lines = RecordText.Lines(change.Members);
        var head = RecordHead.Of(run, version, after);
        if (change.IsWhole)
        {
            var definition = RecordText.Of(RecordDefinition.Of(after, change.MemberCount));
            head = head with { Definition = RunFolder.RecordDefinition(Convert.ToHexStringLower(SHA256.HashData(definition))) };
            if (!Has(folder, head.Definition, definition)) folder.Write(head.Definition, definition);
            head = head with { Log = RunFolder.RecordLog(version.Number, version.Writer!), Length = lines.Length, Whole = lines.Length };
            folder.Write(head.Log, lines);
        }
        else
        {
            head = head with { Definition = old!.Definition, Log = old.Log, Length = old.Length + lines.Length, Whole = old.Whole, Parts = old.Parts };
            if (lines.Length > 0 && folder.Storage.Grows) Append(folder, folder.Path(head.Log!), old.Length, lines);
            else if (lines.Length > 0) head = head with { Parts = Joined(folder, old, RunFolder.RecordLog(version.Number, version.Writer!), lines) };
        }

        var json = RecordText.Of(head);
        Measurements.RecordBytes.Add(lines.Length + json.Length, Measurements.ToFiles);
        (writeState ?? (bytes => folder.Write(RunFolder.RecordFile, bytes)))(json);
        if (keepsOld || old is null) return;
        foreach (var file in NamedBy(old).Except(NamedBy(head))) folder.Delete(file);
    }

    /// <summary>Whether a file of a run's folder is a log, or a definition, that its record does not name.</summary>
    public static Func<string, bool> UnnamedLogs(RunFolder folder)
    {
        var named = ReadState(folder)?.Head is { } head ? NamedBy(head).ToHashSet() : [RunFolder.RecordDefinitionFile];
        return relative => relative.StartsWith($"{RunFolder.RecordLogs}/", StringComparison.Ordinal) && !named.Contains(relative);
    }

    private static IEnumerable<string> NamedBy(RecordHead head) => head.Files.Select(part => part?.File!).Append(head.DefinitionFile);

    private static bool IsMostlyPast(RecordHead head) => head.Length > LeastCompacted && head.Length > Garbage * head.Whole;

    /// <summary>
    /// The log of a storage whose files do not grow: what is new is a file of its own, with the last ones where they are no longer
    /// than it. There are few, and each byte is written a few times.
    /// </summary>
    private static ImmutableArray<LogPart> Joined(RunFolder folder, RecordHead old, string name, byte[] lines)
    {
        var parts = old.Files;
        while (!parts.IsEmpty && parts[^1].Length <= lines.Length)
        {
            lines = [.. ReadPart(folder, parts[^1]), .. lines];
            parts = parts.RemoveAt(parts.Length - 1);
        }

        folder.Write(name, lines);
        return parts.Add(new LogPart(name, lines.Length));
    }

    private static byte[] ReadPart(RunFolder folder, LogPart part)
    {
        if (part.Length is < 0 or > MostLogBytes) throw new InvalidDataException($"{folder.Record} is damaged: it names {part.Length} bytes of {part.File}.");
        using var file = folder.OpenRead(part.File);
        if (file.Length < part.Length) throw FolderStorage.Shorter(folder.Path(part.File), file.Length, part.Length);
        var lines = new byte[part.Length];
        file.ReadExactly(lines);
        return lines;
    }

    /// <summary>What follows the place is a line that was never named: it goes.</summary>
    private static void Append(RunFolder folder, string path, long place, byte[] lines)
    {
        FileOperations.Before("append", path);
        using var file = RegularFile.OpenWrite(folder.Runs, path, creates: false);
        if (file.Length < place) throw FolderStorage.Shorter(path, file.Length, place);
        file.Position = place;
        file.Write(lines);
        if (file.Length > place + lines.Length) file.SetLength(place + lines.Length);
        FileOperations.Before("flush", path);
        file.Flush(flushToDisk: true);
    }

    private static State? ReadState(RunFolder folder)
    {
        try
        {
            return Parse(folder, folder.ReadAllBytes(RunFolder.RecordFile));
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    private static State Parse(RunFolder folder, byte[] json)
    {
        var isOfNow = RecordText.Read<JsonElement>(json, folder.Record) is { ValueKind: JsonValueKind.Object } element && element.TryGetProperty("format", out _);
        var head = isOfNow ? RecordText.Read<RecordHead>(json, folder.Record) : null;
        var earlier = isOfNow ? null : RecordText.Read<EarlierRecord>(json, folder.Record);
        var run = isOfNow ? head!.Run : earlier!.Run;
        if (RunKey.TryParse(run) is not { } key || key.Name != folder.Name || (head is null && earlier?.Record is null))
            throw new InvalidDataException($"{folder.Record} is damaged: it is not the record of run \"{folder.Name}\".");
        if (head is { Format: not RecordHead.CurrentFormat })
            throw new InvalidDataException($"{folder.Record} is of format {head.Format}, and this version reads up to {RecordHead.CurrentFormat}: use the newer version that wrote it.");
        if (head is { Log: null }) throw new InvalidDataException($"{folder.Record} is damaged: it names no log.");
        if (head is not null && (head.Writer is null || !NamedBy(head).All(file => file is not null && RunFolder.IsPlain(file)))) throw new InvalidDataException($"{folder.Record} is damaged: it names files that cannot be.");
        if (earlier is { IsWhole: false }) throw new InvalidDataException($"{folder.Record} is damaged: it does not say what makes a run, or names weights that cannot be.");
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

    private static RecordDefinition ReadDefinition(RunFolder folder, RecordHead head) =>
        RecordText.ReadDefinition(folder.ReadAllBytes(head.DefinitionFile), folder.Path(head.DefinitionFile));

    private static MemberRecords ReadLog(RunFolder folder, RecordHead head)
    {
        using var lines = new MemoryStream();
        foreach (var part in head.Files) lines.Write(ReadPart(folder, part));
        return RecordText.ReadLines(lines.GetBuffer().AsSpan(0, (int)lines.Length), ReadDefinition(folder, head).Members, folder.Path(head.Log!));
    }

    private static bool Has(RunFolder folder, string name, byte[] definition)
    {
        try
        {
            return folder.ReadAllBytes(name).AsSpan().SequenceEqual(definition);
        }
        catch (Exception exception) when (exception is FileNotFoundException or InvalidDataException)
        {
            return false;
        }
    }

    private sealed record State(string Run, RecordHead? Head, EarlierRecord? Earlier)
    {
        public RecordVersion Version => Head?.At ?? new RecordVersion(Earlier!.Version, null);
    }
}
