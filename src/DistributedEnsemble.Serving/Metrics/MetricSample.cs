using System.Buffers;
using System.Buffers.Text;

namespace DistributedEnsemble.Serving.Metrics;

/// <summary>
/// Some lines of one member's metrics.jsonl, spread over a range of steps, read by their places in the file: a picture of a long file
/// before all of it has been read.
/// </summary>
internal static class MetricSample
{
    /// <summary>Bytes that hold at least one whole line.</summary>
    public const int SmallestBlock = 1 << 10;

    private static ReadOnlySpan<byte> BeginOfLine => "{\"step\":"u8;

    /// <summary>Reads blocks of lines at equal distances.</summary>
    /// <param name="blocks">How many.</param>
    /// <param name="block">Bytes of each, at least <see cref="SmallestBlock"/>.</param>
    /// <returns>As if the file had no other lines.</returns>
    /// <exception cref="InvalidDataException">A line is none.</exception>
    public static MetricSeries Read(Stream file, int from, int to, int blocks, int block)
    {
        var (length, series) = (file.Length, new MetricSeries());
        var (begin, end) = (PlaceOf(file, length, from), to == int.MaxValue ? length : PlaceOf(file, length, to));
        var buffer = ArrayPool<byte>.Shared.Rent(block);
        try
        {
            for (var i = 0; i < blocks; i++)
            {
                // The last block ends where the range does.
                var place = begin + (long)((double)Math.Max(0, end - begin - block) * i / Math.Max(1, blocks - 1));
                series.AddWhole(Lines(buffer.AsSpan(0, ReadAt(file, buffer.AsSpan(0, block), place)), isBegin: place == 0));
            }

            return series;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static int ReadAt(Stream file, Span<byte> buffer, long place)
    {
        file.Position = place;
        return file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
    }

    /// <summary>Where lines begin that are of a step or later, or a little before.</summary>
    private static long PlaceOf(Stream file, long length, int step)
    {
        var (low, high) = (0L, length);
        Span<byte> buffer = stackalloc byte[SmallestBlock];
        while (high - low > SmallestBlock)
        {
            var middle = (low + high) / 2;
            var lines = Lines(buffer[..ReadAt(file, buffer, middle)], isBegin: false);
            if (StepOf(lines) is { } first && first < step) low = middle;
            else high = middle;
        }

        return low;
    }

    /// <summary>Without the end of a line before, and the beginning of one behind.</summary>
    private static ReadOnlySpan<byte> Lines(ReadOnlySpan<byte> bytes, bool isBegin)
    {
        var (first, last) = (isBegin ? 0 : bytes.IndexOf((byte)'\n') + 1, bytes.LastIndexOf((byte)'\n') + 1);
        return first == 0 && !isBegin || last <= first ? default : bytes[first..last];
    }

    /// <returns>Null where there is no line.</returns>
    private static int? StepOf(ReadOnlySpan<byte> lines) =>
        lines.StartsWith(BeginOfLine) && Utf8Parser.TryParse(lines[BeginOfLine.Length..], out int step, out _) ? step : null;
}
