using System.Runtime.CompilerServices;
using DistributedEnsemble.Training.Kernels;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Training;

/// <summary>The maximum of each 2×2 square.</summary>
public sealed record MaxPool : Layer
{
    public override Function Build(NetworkBuilder builder)
    {
        var (channels, height, width) = ((int)builder.Shape[0], (int)builder.Shape[1], (int)builder.Shape[2]);
        builder.Shape = [channels, height / 2, width / 2];
        builder.Operation = place => new MaxPoolOperation(channels, height, width, place);
        return (_, inputs, _) => is_grad_enabled() ? functional.max_pool2d(inputs, 2) : Maximum(inputs);
    }

    /// <summary>
    /// The same bits in a third of the time: torch's own looks at one number after another. Its gradient would be another, where
    /// numbers of a square are equal.
    /// </summary>
    private static Tensor Maximum(Tensor inputs)
    {
        using var scope = NewDisposeScope();
        var (rows, columns) = (inputs.size(2) / 2 * 2, inputs.size(3) / 2 * 2);
        var ofRows = maximum(inputs.slice(2, 0, rows, 2), inputs.slice(2, 1, rows, 2));
        return maximum(ofRows.slice(3, 0, columns, 2), ofRows.slice(3, 1, columns, 2)).MoveToOuterDisposeScope();
    }
}

/// <summary>The gradient goes to the first largest number of a square, by row and column.</summary>
internal sealed unsafe class MaxPoolOperation : Operation
{
    private readonly int _channels, _height, _width;

    public MaxPoolOperation(int channels, int height, int width, OperationPlace place) : base(channels * (height / 2) * (width / 2))
    {
        (_channels, _height, _width) = (channels, height, width);
        Outputs = place.Memory.Take((long)place.Rows * Width);
    }

    public override void Forward(Pass pass, float* inputs)
    {
        var target = Outputs;
        for (nint plane = 0; plane < (nint)pass.Rows * _channels; plane++)
        {
            for (var row = 0; row < _height / 2; row++, target += _width / 2)
            {
                Largest(inputs + (plane * _height + 2 * row) * _width, target);
            }
        }
    }

    public override void Backward(Pass pass, float* inputs, float* gradient, float* inputGradient)
    {
        if (inputGradient == null) return;
        new Span<float>(inputGradient, checked(pass.Rows * _channels * _height * _width)).Clear();
        for (nint plane = 0; plane < (nint)pass.Rows * _channels; plane++)
        {
            for (var row = 0; row < _height / 2; row++, gradient += _width / 2)
            {
                var first = (plane * _height + 2 * row) * _width;
                Give(inputs + first, gradient, inputGradient + first);
            }
        }
    }

    /// <summary>Whether a number takes the place of those before it; one that is not a number does.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsLarger(float x, float than) => x > than || float.IsNaN(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Larger(float a, float b) => IsLarger(b, a) ? b : a;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Largest(float* upper, float* target)
    {
        var lower = upper + _width;
        for (var column = 0; column < _width / 2; column++, upper += 2, lower += 2)
        {
            target[column] = Larger(Larger(Larger(upper[0], upper[1]), lower[0]), lower[1]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Give(float* upper, float* gradient, float* ofUpper)
    {
        for (var column = 0; column < _width / 2; column++, upper += 2, ofUpper += 2)
        {
            var place = 0;
            if (IsLarger(upper[1], upper[place])) place = 1;
            if (IsLarger(upper[_width], upper[place])) place = _width;
            if (IsLarger(upper[_width + 1], upper[place])) place = _width + 1;
            ofUpper[place] = gradient[column];
        }
    }
}
