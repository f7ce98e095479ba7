using DistributedEnsemble.Training.Data;
using SkiaSharp;

namespace DistributedEnsemble.Reports.Pages;

/// <summary>A row that is an image, as a page can hold it.</summary>
internal static class RowPicture
{
    public static bool Fits(DataDescription data) => data.InputShape is [1 or 3, _, _] && data.Table is null;

    /// <param name="inputs">One row, preprocessed.</param>
    /// <returns>The address of a PNG that is in the address itself.</returns>
    public static string Draw(DataDescription data, ReadOnlySpan<float> inputs)
    {
        var (channels, height, width) = (data.InputShape[0], (int)data.InputShape[1], (int)data.InputShape[2]);
        using var bitmap = new SKBitmap(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var at = (y * width) + x;
                bitmap.SetPixel(x, y, channels == 1
                    ? new SKColor(Byte(inputs, at), Byte(inputs, at), Byte(inputs, at))
                    : new SKColor(Byte(inputs, at), Byte(inputs, at + (height * width)), Byte(inputs, at + (2 * height * width))));
            }
        }

        using var png = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return $"data:image/png;base64,{Convert.ToBase64String(png.AsSpan())}";

        byte Byte(ReadOnlySpan<float> row, int at)
        {
            var value = data.Mean is { } mean && data.Deviation is { } deviation ? (row[at] * deviation[at]) + mean[at] : row[at];
            return (byte)Math.Clamp(255 * value, 0, 255);
        }
    }
}
