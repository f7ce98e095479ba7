using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DistributedEnsemble.Training.Kernels;

/// <summary>
/// A convolution of some images whose numbers lie beside each other, as [channels, height, width, images]. Vectors go over the images:
/// those of a few pixels fill them too, and no patch is copied, since its numbers are rows at the same places from each pixel on.
/// </summary>
internal sealed unsafe class InterleavedConvolution
{
    /// <summary>At most: two of the longest vectors.</summary>
    public const int Images = 32;

    /// <summary>With fewer, most of a vector would be of no use.</summary>
    public const int Fewest = 6;

    private readonly Patches _patches;
    private readonly int _filters;

    /// <summary>Where the numbers of a patch are, from its first pixel on.</summary>
    private readonly nint[] _places;

    /// <summary>Images with zeros around them, and their gradient; what the filters give, or its gradient; the gradient of the patches of a pixel.</summary>
    private readonly float* _inputs, _ofInputs, _outputs, _ofPatches;

    public InterleavedConvolution(Patches patches, int filters, WorkingMemory memory, bool isTrained)
    {
        (_patches, _filters) = (patches, filters);
        _places = patches.Places(Images);
        _inputs = memory.Take((long)patches.PaddedLength * Images);
        _outputs = memory.Take((long)filters * patches.Pixels * Images);
        if (!isTrained) return;
        _ofInputs = memory.Take((long)patches.PaddedLength * Images);
        _ofPatches = memory.Take((long)patches.Depth * Images);
    }

    /// <summary>Each output is one chain in the order of a patch, from the bias.</summary>
    /// <param name="images">[count, channels, height, width].</param>
    /// <param name="start">Zero, or a bias of rows.</param>
    /// <param name="outputs">[count, filters, rows, columns].</param>
    public void Forward(float* images, int count, float* weights, ProductStart start, float* bias, bool isRectified, float* outputs)
    {
        _patches.Interleave(images, count, _inputs, Images);
        if (Vector512.IsHardwareAccelerated) Tiles<Width512, Vector512<float>, Eight>(count, weights, start, bias, isRectified);
        else if (Vector256.IsHardwareAccelerated) Tiles<Width256, Vector256<float>, Six>(count, weights, start, bias, isRectified);
        else if (Vector128.IsHardwareAccelerated) Tiles<Width128, Vector128<float>, Six>(count, weights, start, bias, isRectified);
        else Tiles<Width32, float, Six>(count, weights, start, bias, isRectified);
        var width = _filters * _patches.Pixels;
        // A few images at a time: their lines would take each other's place in the first cache.
        for (var image = 0; image < count; image += 8) Transpose.Copy(_outputs + image, Images, width, Math.Min(8, count - image), outputs + (nint)image * width, width);
    }

    /// <summary>Each number is the sum of what the patches say of it in their order, each of that a chain in the order of the filters.</summary>
    /// <param name="slopes">The gradient of the outputs, [count, filters, rows, columns].</param>
    /// <param name="gradient">That of the images, which is set.</param>
    public void InputGradient(float* slopes, int count, float* weights, float* gradient, float* scratch)
    {
        var width = _filters * _patches.Pixels;
        var columns = count <= Images / 2 ? Images / 2 : Images;
        Transpose.Copy(slopes, width, count, width, _outputs, Images);
        new Span<float>(_ofInputs, _patches.PaddedLength * Images).Clear();
        // From the last pixel on, what comes to a number comes in the order of the patches' rows.
        for (var pixel = _patches.Pixels - 1; pixel >= 0; pixel--)
        {
            MatrixProduct.Compute(
                _patches.Depth, columns, _filters, Matrix.Rows(weights, _patches.Depth).Transposed,
                Matrix.Rows(_outputs + (nint)pixel * Images, _patches.Pixels * Images), _ofPatches, Images, ProductStart.Zero, null, false, scratch);
            AddPatch(_ofInputs + _patches.First(pixel) * Images);
        }

        _patches.Separate(_ofInputs, Images, count, gradient);
    }

    private void Tiles<TWidth, TVector, TRows>(int count, float* weights, ProductStart start, float* bias, bool isRectified)
        where TWidth : IWidth<TVector> where TVector : struct where TRows : INumber
    {
        var (depth, pixels) = (_patches.Depth, _patches.Pixels);
        var tiles = (_filters + TRows.Value - 1) / TRows.Value;
        fixed (nint* places = _places)
        {
            for (var pixel = 0; pixel < pixels; pixel++)
            {
                var window = _inputs + _patches.First(pixel) * Images;
                for (var column = 0; column < count; column += 2 * TWidth.Count)
                {
                    for (var i = 0; i < tiles; i++)
                    {
                        var (row, end) = (_filters * i / tiles, _filters * (i + 1) / tiles);
                        MatrixProduct.Tile<TWidth, TVector, PlacedB>(
                            end - row, count - column > TWidth.Count, Matrix.Rows(weights + (nint)row * depth, depth), window + column, 0, new Places(null, places),
                            _outputs + ((nint)row * pixels + pixel) * Images + column, (nint)pixels * Images, depth, start, bias + row, isRectified);
                    }
                }
            }
        }
    }

    /// <summary>Adds the gradient of a pixel's patches.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddPatch(float* window)
    {
        for (var k = 0; k < _places.Length; k++)
        {
            var target = window + _places[k];
            var source = _ofPatches + (nint)k * Images;
            (Vector512.Load(target) + Vector512.Load(source)).Store(target);
            (Vector512.Load(target + 16) + Vector512.Load(source + 16)).Store(target + 16);
        }
    }
}
