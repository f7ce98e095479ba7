using System.Runtime.Intrinsics;

namespace DistributedEnsemble.Training.Kernels;

/// <summary>
/// The gradient of a convolution's weights: each is one chain in the order of rows and pixels. It is a product of patches and of the
/// outputs' gradient whose vectors go over the filters; a patch's numbers are read from the images where they are.
/// </summary>
internal sealed unsafe class FilterGradient
{
    /// <summary>Pixels of the outputs that go together, unless one image has more.</summary>
    private const int Together = 256;

    private readonly Patches _patches;
    private readonly int _filters, _image, _group, _stride;

    /// <summary>Where the numbers of a patch are, from its first on; and the patches of a group of images.</summary>
    private readonly nint[] _rows, _steps;

    /// <summary>Images of a group with their borders, where they need some; the gradient of their outputs, [pixels, filters].</summary>
    private readonly float* _padded, _slopes;

    /// <summary>The gradient, [depth, filters and a rest].</summary>
    private readonly float* _sums;

    public FilterGradient(Patches patches, int filters, OperationPlace place)
    {
        (_patches, _filters, _stride) = (patches, filters, (filters + 15) / 16 * 16);
        _group = Math.Clamp(Together / patches.Pixels, 1, place.Rows);
        _image = patches.HasPadding ? patches.PaddedLength : patches.ImageLength;
        _rows = patches.Places(1);
        _steps = new nint[_group * Seen];
        for (var i = 0; i < _steps.Length; i++) _steps[i] = (nint)(i / Seen) * _image + patches.First(patches.SeeingPixel(i % Seen));
        if (patches.HasPadding) _padded = place.Memory.Take((long)_group * _image);
        _slopes = place.Memory.Take((long)_group * Seen * _stride);
        _sums = place.Memory.Take((long)patches.Depth * _stride);
    }

    /// <summary>Pixels of an image that see more than zeros: the patches of others add nothing.</summary>
    private int Seen => _patches.SeeingRows.Count * _patches.SeeingColumns.Count;

    /// <summary>Sets the gradient of some numbers of each filter.</summary>
    /// <param name="images">[count, channels, height, width].</param>
    /// <param name="slopes">The gradient of the outputs, [count, filters, rows, columns].</param>
    /// <param name="first">The first of the numbers of a filter.</param>
    /// <param name="gradient">[filters, depth].</param>
    public void Compute(float* images, float* slopes, int count, int first, int numbers, float* gradient)
    {
        if (numbers == 0) return;
        for (var image = 0; image < count; image += _group)
        {
            var group = Math.Min(_group, count - image);
            var source = images + (nint)image * _patches.ImageLength;
            for (var i = 0; i < group; i++)
            {
                if (_patches.HasPadding) _patches.Pad(source + (nint)i * _patches.ImageLength, _padded + (nint)i * _image);
                Turn(slopes + (nint)(image + i) * _filters * _patches.Pixels, _slopes + (nint)i * Seen * _stride);
            }

            if (_patches.HasPadding) source = _padded;
            var start = image == 0 ? ProductStart.Zero : ProductStart.Sum;
            if (Vector512.IsHardwareAccelerated) Tiles<Width512, Vector512<float>, Eight>(source, group * Seen, first, numbers, start);
            else if (Vector256.IsHardwareAccelerated) Tiles<Width256, Vector256<float>, Six>(source, group * Seen, first, numbers, start);
            else if (Vector128.IsHardwareAccelerated) Tiles<Width128, Vector128<float>, Six>(source, group * Seen, first, numbers, start);
            else Tiles<Width32, float, Six>(source, group * Seen, first, numbers, start);
        }

        Transpose.Copy(_sums + (nint)first * _stride, _stride, numbers, _filters, gradient + first, _patches.Depth);
    }

    /// <summary>[filters, pixels] become [pixels that see more than zeros, filters].</summary>
    private void Turn(float* slopes, float* target)
    {
        if (Seen == _patches.Pixels)
        {
            Transpose.Copy(slopes, _patches.Pixels, _filters, _patches.Pixels, target, _stride);
            return;
        }

        var ((firstRow, rows), (firstColumn, columns)) = (_patches.SeeingRows, _patches.SeeingColumns);
        for (var row = firstRow; row < firstRow + rows; row++, target += columns * _stride)
        {
            Transpose.Copy(slopes + row * _patches.Columns + firstColumn, _patches.Pixels, _filters, columns, target, _stride);
        }
    }

    private void Tiles<TWidth, TVector, TRows>(float* images, int pixels, int first, int numbers, ProductStart start)
        where TWidth : IWidth<TVector> where TVector : struct where TRows : INumber
    {
        var tiles = (numbers + TRows.Value - 1) / TRows.Value;
        fixed (nint* rows = _rows)
        fixed (nint* steps = _steps)
        {
            for (var column = 0; column < _filters; column += 2 * TWidth.Count)
            {
                for (var i = 0; i < tiles; i++)
                {
                    var (row, end) = (first + numbers * i / tiles, first + numbers * (i + 1) / tiles);
                    MatrixProduct.Tile<TWidth, TVector, PlacedA>(
                        end - row, _filters - column > TWidth.Count, Matrix.Rows(images, 0), _slopes + column, _stride, new Places(rows + row, steps),
                        _sums + (nint)row * _stride + column, _stride, pixels, start, null, false);
                }
            }
        }
    }
}
