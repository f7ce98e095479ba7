using System.Text.Json;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Serving.Live;

/// <summary>Reads a run's timeline as it grows.</summary>
internal sealed class TimelineReader(RunStorage storage, string run)
{
    /// <summary>Of a timeline that is longer, its end is read.</summary>
    private const long MostBytes = 1 << 20;

    private readonly RunFolder _folder = new(storage, run);
    private long _read;

    /// <summary>What was written since the last time.</summary>
    public IReadOnlyList<RunHappening> ReadOn()
    {
        try
        {
            using var file = _folder.OpenRead(RunFolder.TimelineFile, _read);
            if (file.Length < _read) _read = 0;
            var start = file.Position = Math.Max(_read, file.Length - MostBytes);
            var bytes = new byte[file.Length - start];
            file.ReadExactly(bytes);
            var whole = bytes.AsSpan().LastIndexOf((byte)'\n') + 1;
            _read = start + whole;
            return [.. Lines(bytes.AsSpan(0, whole))];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return [];
        }
    }

    private static List<RunHappening> Lines(ReadOnlySpan<byte> bytes)
    {
        var happened = new List<RunHappening>();
        foreach (var range in bytes.Split((byte)'\n'))
        {
            try
            {
                if (!bytes[range].IsEmpty && JsonSerializer.Deserialize<RunHappening>(bytes[range], RunStatusJson.Options) is { } one) happened.Add(one);
            }
            catch (JsonException)
            {
                // The rest of a line whose beginning was left out, or of a process that ended while it wrote.
            }
        }

        return happened;
    }
}
