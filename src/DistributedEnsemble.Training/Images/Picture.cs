using SkiaSharp;

namespace DistributedEnsemble.Training.Images;

/// <summary>A decoded image.</summary>
/// <param name="pixels">[height, width, 3]: red, green and blue from 0 to 255.</param>
internal sealed class Picture(int width, int height, byte[] pixels)
{
    public const int Channels = 3;

    private const int LargestSide = 1 << 15, LargestArea = 1 << 28;

    /// <returns>Null if the bytes are no whole image.</returns>
    public static Picture? Decode(byte[] bytes)
    {
        using var data = SKData.CreateCopy(bytes);
        using var codec = SKCodec.Create(data);
        if (codec is null || !IsSensible(codec.Info)) return null;
        var info = new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        using var bitmap = new SKBitmap(info);
        if (codec.GetPixels(info, bitmap.GetPixels()) != SKCodecResult.Success) return null;
        var pixels = new byte[info.Width * info.Height * Channels];
        var source = bitmap.GetPixelSpan();
        for (int from = 0, to = 0; to < pixels.Length; from += 4)
        {
            // What shows through is white, as paper is.
            var alpha = source[from + 3];
            for (var channel = 0; channel < Channels; channel++, to++) pixels[to] = (byte)(((source[from + channel] * alpha) + (255 * (255 - alpha)) + 127) / 255);
        }

        return new Picture(info.Width, info.Height, pixels);
    }

    /// <returns>0 of a file that is no image.</returns>
    public static int LongestSide(string path)
    {
        using var codec = SKCodec.Create(path);
        return codec is null || !IsSensible(codec.Info) ? 0 : Math.Max(codec.Info.Width, codec.Info.Height);
    }

    public static bool IsGrey(ReadOnlySpan<byte> pixels)
    {
        for (var i = 0; i < pixels.Length; i += Channels) if (pixels[i] != pixels[i + 1] || pixels[i] != pixels[i + 2]) return false;
        return true;
    }

    /// <summary>From red, green and blue of each pixel to planes, of which a grey image has one: of a colour its luma (ITU-R BT.601).</summary>
    public static void CopyPlanes(ReadOnlySpan<byte> pixels, int channels, Span<float> planes)
    {
        var area = pixels.Length / Channels;
        if (channels == 1)
        {
            for (var i = 0; i < area; i++) planes[i] = MathF.Round(((299 * pixels[i * Channels]) + (587 * pixels[(i * Channels) + 1]) + (114 * pixels[(i * Channels) + 2])) / 1000f);
            return;
        }

        for (var channel = 0; channel < channels; channel++)
            for (var i = 0; i < area; i++) planes[(channel * area) + i] = pixels[(i * Channels) + channel];
    }

    /// <summary>The mean over the area that each new pixel covers; the image is stretched to a square. Our own: the same bits everywhere.</summary>
    /// <returns>[size, size, 3].</returns>
    public byte[] Resized(int size)
    {
        if (width == size && height == size) return pixels;
        var (columns, rows) = (Shares(width, size), Shares(height, size));
        var narrow = new double[height * size * Channels];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < size; x++)
                foreach (var (from, share) in columns[x])
                    for (var channel = 0; channel < Channels; channel++) narrow[(((y * size) + x) * Channels) + channel] += share * pixels[(((y * width) + from) * Channels) + channel];
        var resized = new byte[size * size * Channels];
        for (var y = 0; y < size; y++)
        {
            for (var i = 0; i < size * Channels; i++)
            {
                var sum = 0.0;
                foreach (var (from, share) in rows[y]) sum += share * narrow[(from * size * Channels) + i];
                resized[(y * size * Channels) + i] = (byte)Math.Clamp(Math.Round(sum), 0, 255);
            }
        }

        return resized;
    }

    /// <summary>Which old pixels each new one covers, and how much of it each is.</summary>
    private static (int From, double Share)[][] Shares(int from, int to) =>
    [
        .. Enumerable.Range(0, to).Select(place =>
        {
            var (start, end) = ((double)place * from / to, (double)(place + 1) * from / to);
            return Enumerable.Range((int)start, Math.Max(1, (int)Math.Ceiling(end) - (int)start)).Where(old => old < from)
                .Select(old => (old, (Math.Min(end, old + 1) - Math.Max(start, old)) / (end - start))).ToArray();
        }),
    ];

    private static bool IsSensible(SKImageInfo info) => info.Width is > 0 and <= LargestSide && info.Height is > 0 and <= LargestSide && (long)info.Width * info.Height <= LargestArea;
}
