using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DistributedEnsemble.Training.Kernels;

/// <summary>
/// The patches that a convolution sees: a matrix of [channels·size·size, pixels], so that the convolution is a product with it.
/// </summary>
internal readonly unsafe struct Patches(int channels, int height, int width, int size, int padding, int stride)
{
    /// <summary>Floats beyond the end of a row that a copy may overwrite: what is copied in whole vectors is overwritten by what follows.</summary>
    public const int Slack = 16;

    private readonly int _paddedHeight = height + 2 * padding, _paddedWidth = width + 2 * padding;

    public int Rows => (_paddedHeight - size) / stride + 1;
    public int Columns => (_paddedWidth - size) / stride + 1;

    /// <summary>Of one image's output.</summary>
    public int Pixels => Rows * Columns;

    /// <summary>Numbers of a patch.</summary>
    public int Depth => channels * size * size;

    /// <summary>Numbers of an image with zeros around it.</summary>
    public int PaddedLength => channels * _paddedHeight * _paddedWidth + Slack;

    /// <summary>Copies an image into the midst of zeros.</summary>
    /// <param name="padded">Zeros at its border.</param>
    public void Pad(float* image, float* padded)
    {
        for (var channel = 0; channel < channels; channel++)
        {
            for (var row = 0; row < height; row++)
            {
                var target = padded + ((nint)channel * _paddedHeight + row + padding) * _paddedWidth + padding;
                for (var column = 0; column < width; column++) target[column] = image[column];
                image += width;
            }
        }
    }

    /// <summary>Adds the midst of an image with a border to one without.</summary>
    public void AddMidst(float* padded, float* image)
    {
        for (var channel = 0; channel < channels; channel++)
        {
            for (var row = 0; row < height; row++, image += width)
            {
                Elementwise.Add(image, padded + ((nint)channel * _paddedHeight + row + padding) * _paddedWidth + padding, width);
            }
        }
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

    /// <summary>Adds one image's columns of the matrix to the image that they came from.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Scatter(float* patches, nint patchStride, float* padded)
    {
        var (rows, columns) = (Rows, Columns);
        for (var channel = 0; channel < channels; channel++)
        {
            for (var y = 0; y < size; y++)
            {
                for (var x = 0; x < size; x++, patches += patchStride)
                {
                    var target = padded + ((nint)channel * _paddedHeight + y) * _paddedWidth + x;
                    var source = patches;
                    for (var row = 0; row < rows; row++, target += stride * _paddedWidth, source += columns)
                    {
                        if (stride == 1) AddVectors(target, source, columns);
                        else for (var column = 0; column < columns; column++) target[column * stride] += source[column];
                    }
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyVectors(float* source, float* target, int length)
    {
        var i = 0;
        for (; i < length - 8; i += 16) Vector512.Load(source + i).Store(target + i);
        if (i < length) Vector256.Load(source + i).Store(target + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddVectors(float* target, float* source, int length)
    {
        var i = 0;
        for (; i <= length - 8; i += 8) (Vector256.Load(target + i) + Vector256.Load(source + i)).Store(target + i);
        if (i <= length - 4)
        {
            (Vector128.Load(target + i) + Vector128.Load(source + i)).Store(target + i);
            i += 4;
        }

        for (; i < length; i++) target[i] += source[i];
    }
}
