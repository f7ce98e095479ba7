using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Training.Kernels;

/// <summary>
/// The patches that a convolution sees: a matrix of [channels·size·size, pixels], so that the convolution is a product with it.
/// </summary>
internal readonly unsafe struct Patches(int channels, int height, int width, int size, int padding, int stride, ImageBorder border)
{
    /// <summary>Floats beyond the end of a row that a copy may overwrite: what is copied in whole vectors is overwritten by what follows.</summary>
    public const int Slack = 16;

    private readonly int _paddedHeight = height + 2 * padding, _paddedWidth = width + 2 * padding;

    public int Rows { get; } = (height + 2 * padding - size) / stride + 1;
    public int Columns { get; } = (width + 2 * padding - size) / stride + 1;

    /// <summary>The rows, and the columns, of pixels that see more than borders of zeros: from where, and how many.</summary>
    public (int First, int Count) SeeingRows { get; } = Seeing(height, size, padding, stride, border.Top, border.Bottom);

    /// <inheritdoc cref="SeeingRows"/>
    public (int First, int Count) SeeingColumns { get; } = Seeing(width, size, padding, stride, border.Left, border.Right);

    /// <summary>Of one image's output.</summary>
    public int Pixels => Rows * Columns;

    /// <summary>Numbers of a patch.</summary>
    public int Depth => channels * size * size;

    public bool HasPadding => padding > 0;

    public int ImageLength => channels * height * width;

    /// <summary>Numbers of an image with zeros around it.</summary>
    public int PaddedLength => channels * _paddedHeight * _paddedWidth + Slack;

    /// <summary>Where a patch's numbers are in an image with its border, from its first on; <paramref name="images"/> lie beside each other.</summary>
    public nint[] Places(int images)
    {
        var places = new nint[Depth];
        for (var k = 0; k < places.Length; k++)
        {
            var (channel, y, x) = (k / (size * size), k / size % size, k % size);
            places[k] = (((nint)channel * _paddedHeight + y) * _paddedWidth + x) * images;
        }

        return places;
    }

    /// <summary>Where the patch of a pixel begins in an image with its border.</summary>
    public nint First(int pixel) => ((nint)(pixel / Columns) * _paddedWidth + pixel % Columns) * stride;

    /// <summary>One of the pixels that see more than zeros.</summary>
    public int SeeingPixel(int i) => (SeeingRows.First + i / SeeingColumns.Count) * Columns + SeeingColumns.First + i % SeeingColumns.Count;

    /// <summary>Copies images into the midst of zeros, so that their numbers lie beside each other.</summary>
    /// <param name="padded">[channels, padded height, padded width, images], with zeros at the border.</param>
    /// <param name="images">From one number of an image to its next.</param>
    public void Interleave(float* source, int count, float* padded, int images)
    {
        var length = channels * height * width;
        if (padding == 0)
        {
            Transpose.Copy(source, length, count, length, padded, images);
            return;
        }

        for (var row = 0; row < channels * height; row++) Transpose.Copy(source + (nint)row * width, length, count, width, padded + Inner(row) * images, images);
    }

    /// <summary>Copies the midst of images that lie beside each other to one after the other.</summary>
    /// <inheritdoc cref="Interleave"/>
    public void Separate(float* padded, int images, int count, float* target)
    {
        var length = channels * height * width;
        if (padding == 0)
        {
            Transpose.Copy(padded, images, length, count, target, length);
            return;
        }

        for (var row = 0; row < channels * height; row++) Transpose.Copy(padded + Inner(row) * images, images, width, count, target + (nint)row * width, length);
    }

    /// <summary>Copies an image into the midst of zeros.</summary>
    /// <param name="padded">Zeros at its border.</param>
    public void Pad(float* image, float* padded)
    {
        for (var row = 0; row < channels * height; row++) CopyRow(image + (nint)row * width, padded + Inner(row), width);
    }

    /// <summary>Writes one image's columns of the matrix.</summary>
    /// <param name="patches">The first of them.</param>
    /// <param name="patchStride">From one row of the matrix to the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Gather(float* padded, float* patches, nint patchStride)
    {
        var (rows, columns) = (Rows, Columns);
        for (var channel = 0; channel < channels; channel++)
        {
            for (var y = 0; y < size; y++)
            {
                for (var x = 0; x < size; x++, patches += patchStride)
                {
                    var source = padded + ((nint)channel * _paddedHeight + y) * _paddedWidth + x;
                    var target = patches;
                    for (var row = 0; row < rows; row++, source += stride * _paddedWidth, target += columns)
                    {
                        if (stride == 1) CopyVectors(source, target, columns);
                        else for (var column = 0; column < columns; column++) target[column] = source[column * stride];
                    }
                }
            }
        }
    }

    /// <summary>Pixel i sees the numbers from i·stride − padding on.</summary>
    private static (int First, int Count) Seeing(int length, int size, int padding, int stride, int before, int behind)
    {
        var first = Math.Max(0, padding + before - size + stride) / stride;
        var last = Math.Min((length + 2 * padding - size) / stride, (padding + length - behind - 1) / stride);
        return (first, last - first + 1);
    }

    /// <summary>Where a row of an image, of all channels, begins in one with a border.</summary>
    private nint Inner(int row) => ((nint)(row / height) * _paddedHeight + row % height + padding) * _paddedWidth + padding;

    /// <summary>Copies numbers, and none beyond them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CopyRow(float* source, float* target, int length)
    {
        var i = 0;
        for (; i <= length - 8; i += 8) Vector256.Load(source + i).Store(target + i);
        if (length - i >= 4)
        {
            Vector128.Load(source + i).Store(target + i);
            i += 4;
        }

        for (; i < length; i++) target[i] = source[i];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyVectors(float* source, float* target, int length)
    {
        var i = 0;
        for (; i < length - 8; i += 16) Vector512.Load(source + i).Store(target + i);
        if (i < length) Vector256.Load(source + i).Store(target + i);
    }
}
