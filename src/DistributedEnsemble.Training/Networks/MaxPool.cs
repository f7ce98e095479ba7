using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DistributedEnsemble.Training.Kernels;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Training.Networks;

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
    private readonly Action<int, int> _forward, _backward;

    public MaxPoolOperation(int channels, int height, int width, OperationPlace place) : base(channels * (height / 2) * (width / 2))
    {
        (_channels, _height, _width) = (channels, height, width);
        (_forward, _backward) = (ForwardPart, BackwardPart);
        Outputs = place.Memory.Take((long)place.Rows * Width);
    }

    public override void Forward(Pass pass, float* inputs) => Share(_forward, (long)pass.Rows * Width, pass, inputs);

    public override void Backward(Pass pass, float* inputs, float* gradient, float* inputGradient)
    {
        if (inputGradient != null) Share(_backward, (long)pass.Rows * Width, pass, inputs, gradient, inputGradient);
    }

    private void ForwardPart(int part, int parts)
    {
        var (work, planes) = (Work, Work.Pass.Rows * _channels);
        for (nint plane = Team.Place(planes, 1, part, parts); plane < Team.Place(planes, 1, part + 1, parts); plane++)
        {
            var target = Outputs + plane * (_height / 2) * (_width / 2);
            for (var row = 0; row < _height / 2; row++, target += _width / 2)
            {
                Largest(work.Inputs + (plane * _height + 2 * row) * _width, target);
            }
        }
    }

    private void BackwardPart(int part, int parts)
    {
        var (work, planes) = (Work, Work.Pass.Rows * _channels);
        for (nint plane = Team.Place(planes, 1, part, parts); plane < Team.Place(planes, 1, part + 1, parts); plane++)
        {
            // What is in no square gets nothing.
            if (_height % 2 + _width % 2 > 0) new Span<float>(work.InputGradient + plane * _height * _width, _height * _width).Clear();
            var gradient = work.Gradient + plane * (_height / 2) * (_width / 2);
            for (var row = 0; row < _height / 2; row++, gradient += _width / 2)
            {
                var first = (plane * _height + 2 * row) * _width;
                Give(work.Inputs + first, gradient, work.InputGradient + first);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Largest(float* upper, float* target)
    {
        var column = 0;
        for (; column <= _width / 2 - 4; column += 4)
        {
            var (a, b, c, d) = Squares(upper + 2 * column);
            b = Vector128.ConditionalSelect(AreLarger(b, a), b, a);
            c = Vector128.ConditionalSelect(AreLarger(c, b), c, b);
            Vector128.ConditionalSelect(AreLarger(d, c), d, c).Store(target + column);
        }

        for (; column < _width / 2; column++) target[column] = upper[2 * column + Place(upper + 2 * column)];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Give(float* upper, float* gradient, float* ofUpper)
    {
        var column = 0;
        for (; column <= _width / 2 - 4; column += 4)
        {
            var (a, b, c, d) = Squares(upper + 2 * column);
            var isB = AreLarger(b, a);
            b = Vector128.ConditionalSelect(isB, b, a);
            var isC = AreLarger(c, b);
            var isD = AreLarger(d, Vector128.ConditionalSelect(isC, c, b));
            var slopes = Vector128.Load(gradient + column);
            Store(Vector128.AndNot(slopes, isB | isC | isD), Vector128.AndNot(slopes & isB, isC | isD), ofUpper + 2 * column);
            Store(Vector128.AndNot(slopes & isC, isD), slopes & isD, ofUpper + _width + 2 * column);
        }

        for (; column < _width / 2; column++)
        {
            var square = ofUpper + 2 * column;
            square[0] = square[1] = square[_width] = square[_width + 1] = 0;
            square[Place(upper + 2 * column)] = gradient[column];
        }
    }

    /// <summary>Four squares: their upper left, upper right, lower left and lower right numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private (Vector128<float>, Vector128<float>, Vector128<float>, Vector128<float>) Squares(float* upper)
    {
        var above = Vector256.Shuffle(Vector256.Load(upper), Vector256.Create(0, 2, 4, 6, 1, 3, 5, 7));
        var below = Vector256.Shuffle(Vector256.Load(upper + _width), Vector256.Create(0, 2, 4, 6, 1, 3, 5, 7));
        return (above.GetLower(), above.GetUpper(), below.GetLower(), below.GetUpper());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector128<float> left, Vector128<float> right, float* target) =>
        Vector256.Shuffle(Vector256.Create(left, right), Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7)).Store(target);

    /// <summary>Which numbers take the place of those before them; one that is not a number does.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> AreLarger(Vector128<float> x, Vector128<float> than) => Vector128.GreaterThan(x, than) | ~Vector128.Equals(x, x);

    /// <summary>Where a square's largest number is, from its upper left.</summary>
    private int Place(float* square)
    {
        var place = 0;
        if (IsLarger(square[1], square[place])) place = 1;
        if (IsLarger(square[_width], square[place])) place = _width;
        if (IsLarger(square[_width + 1], square[place])) place = _width + 1;
        return place;
    }

    private static bool IsLarger(float x, float than) => x > than || float.IsNaN(x);
}
