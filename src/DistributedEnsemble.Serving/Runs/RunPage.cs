using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving.Answers;

namespace DistributedEnsemble.Serving.Runs;

/// <summary>
/// A page of the list of runs: {"runs": […], "next": NAME or null}. It ends after as many runs as were asked for, or before it grows
/// too long, for a run of a thousand members is a long text; <c>?after=NEXT</c> goes on from there.
/// </summary>
internal static class RunPage
{
    private const int DefaultSize = 100, LongestBytes = 1 << 20;

    /// <exception cref="HttpError">The size is out of range.</exception>
    public static JsonAnswer Of(IEnumerable<RunStatus> runs, string? after, string? limit, int mostRuns)
    {
        var size = Size(limit, mostRuns);
        return JsonAnswer.Written(bytes => Write(bytes, runs.Where(run => string.CompareOrdinal(run.Run, after) > 0), size));
    }

    private static void Write(IBufferWriter<byte> bytes, IEnumerable<RunStatus> runs, int size)
    {
        using var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteStartArray("runs");
        var (count, last, isCut) = (0, "", false);
        foreach (var run in runs)
        {
            isCut = count == size || json.BytesCommitted + json.BytesPending > LongestBytes;
            if (isCut) break;
            JsonSerializer.Serialize(json, run, RunStatusJson.Options);
            (count, last) = (count + 1, run.Run);
        }

        json.WriteEndArray();
        if (isCut) json.WriteString("next", last);
        else json.WriteNull("next");
        json.WriteEndObject();
    }

    private static int Size(string? limit, int most) =>
        limit is null ? Math.Min(DefaultSize, most)
        : int.TryParse(limit, out var size) && size >= 1 && size <= most ? size
        : throw HttpError.BadRequest($"limit is {OneLine.Quoted(limit)}: it must be a whole number from 1 to {most}.");
}
