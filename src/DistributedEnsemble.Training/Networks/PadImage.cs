using DistributedEnsemble.Training.Kernels;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Training.Networks;

/// <summary>Zeros around images smaller than <paramref name="Size"/> on a side; others pass unchanged.</summary>
public sealed record PadImage(int Size) : Layer
{
    /// <summary>Where the zeros go, for readers that rebuild the layer from its description: half on each side, an odd one there.</summary>
    public string OddZeros { get; } = "belowAndRight";

    public override Function Build(NetworkBuilder builder)
    {
        var (height, width) = (builder.Shape[1], builder.Shape[2]);
        var (rows, columns) = (Math.Max(0, Size - height), Math.Max(0, Size - width));
        if (rows + columns == 0)
        {
            var same = builder.Width;
            builder.Operation = _ => new SameOperation(same);
            return (_, inputs, _) => inputs;
        }

        var channels = builder.Shape[0];
        builder.Shape = [channels, height + rows, width + columns];
        var (top, left) = ((int)(rows / 2), (int)(columns / 2));
        builder.NextBorder = new ImageBorder(top, (int)rows - top, left, (int)columns - left);
        builder.Operation = place => new PadOperation((int)channels, (int)height, (int)width, (int)(height + rows), (int)(width + columns), top, left, place);
        long[] padding = [columns / 2, columns - columns / 2, rows / 2, rows - rows / 2];
        return (_, inputs, _) => functional.pad(inputs, padding);
    }
}

/// <summary>Copies rows of pixels into the midst of zeros, and the gradient back.</summary>
internal sealed unsafe class PadOperation : Operation
{
    private readonly int _channels, _height, _width, _outerHeight, _outerWidth, _top, _left;

    public PadOperation(int channels, int height, int width, int outerHeight, int outerWidth, int top, int left, OperationPlace place)
        : base(channels * outerHeight * outerWidth)
    {
        (_channels, _height, _width, _outerHeight, _outerWidth, _top, _left) = (channels, height, width, outerHeight, outerWidth, top, left);
        Outputs = place.Memory.Take((long)place.Rows * Width);
    }

    public override void Forward(Pass pass, float* inputs)
    {
        for (var plane = 0; plane < pass.Rows * _channels; plane++)
        {
            for (var row = 0; row < _height; row++, inputs += _width) Patches.CopyRow(inputs, Outer(Outputs, plane, row), _width);
        }
    }

    public override void Backward(Pass pass, float* inputs, float* gradient, float* inputGradient)
    {
        if (inputGradient == null) return;
        for (var plane = 0; plane < pass.Rows * _channels; plane++)
        {
            for (var row = 0; row < _height; row++, inputGradient += _width) Patches.CopyRow(Outer(gradient, plane, row), inputGradient, _width);
        }
    }

    private float* Outer(float* images, nint plane, int row) => images + ((plane * _outerHeight) + row + _top) * _outerWidth + _left;
}

/// <summary>Rows and columns of zeros around a picture.</summary>
internal readonly record struct ImageBorder(int Top, int Bottom, int Left, int Right);
