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
        var planes = Work.Pass.Rows * _channels;
        var (first, end) = (Team.Place(planes, 1, part, parts), Team.Place(planes, 1, part + 1, parts));
        var source = Work.Inputs + (nint)first * _height * _width;
        var target = Outputs + (nint)first * (_height / 2) * (_width / 2);
        if (AreRowsShort)
        {
            Largest<ShortRows>(source, target, (end - first) * (_height / 2) * 2);
            return;
        }

        for (var plane = first; plane < end; plane++, source += _height * _width)
        {
            for (var row = 0; row < _height / 2; row++, target += _width / 2) Largest<LongRows>(source + 2 * row * _width, target, _width / 2);
        }
    }

    private void BackwardPart(int part, int parts)
    {
        var planes = Work.Pass.Rows * _channels;
        var (first, end) = (Team.Place(planes, 1, part, parts), Team.Place(planes, 1, part + 1, parts));
        var place = (nint)first * _height * _width;
        var gradient = Work.Gradient + (nint)first * (_height / 2) * (_width / 2);
        if (AreRowsShort)
        {
            Give<ShortRows>(Work.Inputs + place, gradient, Work.InputGradient + place, (end - first) * (_height / 2) * 2);
            return;
        }

        for (var plane = first; plane < end; plane++, place += _height * _width)
        {
            // What is in no square gets nothing.
            if (_height % 2 + _width % 2 > 0) new Span<float>(Work.InputGradient + place, _height * _width).Clear();
            for (var row = 0; row < _height / 2; row++, gradient += _width / 2)
            {
                Give<LongRows>(Work.Inputs + place + 2 * row * _width, gradient, Work.InputGradient + place + 2 * row * _width, _width / 2);
            }
        }
    }

    /// <summary>Whether two rows are one vector: four squares that follow each other are those of two pairs of rows.</summary>
    private bool AreRowsShort => _width == 4 && _height % 4 == 0;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Largest<TRows>(float* upper, float* target, int squares) where TRows : ISquares
    {
        if (squares < 4)
        {
            for (var i = 0; i < squares; i++) target[i] = upper[2 * i + Place(upper + 2 * i)];
            return;
        }

        for (var i = 0; i < squares; i += 4)
        {
            // The last four may have been looked at before.
            var square = Math.Min(i, squares - 4);
            var (a, b, c, d) = TRows.Load(upper, square, _width);
            b = Vector128.ConditionalSelect(AreLarger(b, a), b, a);
            c = Vector128.ConditionalSelect(AreLarger(c, b), c, b);
            Vector128.ConditionalSelect(AreLarger(d, c), d, c).Store(target + square);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Give<TRows>(float* upper, float* gradient, float* ofUpper, int squares) where TRows : ISquares
    {
        if (squares < 4)
        {
            for (var i = 0; i < squares; i++)
            {
                var square = ofUpper + 2 * i;
                square[0] = square[1] = square[_width] = square[_width + 1] = 0;
                square[Place(upper + 2 * i)] = gradient[i];
            }

            return;
        }

        for (var i = 0; i < squares; i += 4)
        {
            var square = Math.Min(i, squares - 4);
            var (a, b, c, d) = TRows.Load(upper, square, _width);
            var isB = AreLarger(b, a);
            b = Vector128.ConditionalSelect(isB, b, a);
            var isC = AreLarger(c, b);
            var isD = AreLarger(d, Vector128.ConditionalSelect(isC, c, b));
            var slopes = Vector128.Load(gradient + square);
            TRows.Store(
                Vector128.AndNot(slopes, isB | isC | isD), Vector128.AndNot(slopes & isB, isC | isD), Vector128.AndNot(slopes & isC, isD), slopes & isD,
                ofUpper, square, _width);
        }
    }

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

    /// <summary>Four squares: their upper left, upper right, lower left and lower right numbers.</summary>
    private interface ISquares
    {
        static abstract (Vector128<float> A, Vector128<float> B, Vector128<float> C, Vector128<float> D) Load(float* upper, int square, int width);

        static abstract void Store(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d, float* upper, int square, int width);
    }

    /// <summary>Of one pair of rows.</summary>
    private readonly struct LongRows : ISquares
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static (Vector128<float> A, Vector128<float> B, Vector128<float> C, Vector128<float> D) Load(float* upper, int square, int width)
        {
            var above = Vector256.Shuffle(Vector256.Load(upper + 2 * square), Vector256.Create(0, 2, 4, 6, 1, 3, 5, 7));
            var below = Vector256.Shuffle(Vector256.Load(upper + width + 2 * square), Vector256.Create(0, 2, 4, 6, 1, 3, 5, 7));
            return (above.GetLower(), above.GetUpper(), below.GetLower(), below.GetUpper());
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Store(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d, float* upper, int square, int width)
        {
            Vector256.Shuffle(Vector256.Create(a, b), Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7)).Store(upper + 2 * square);
            Vector256.Shuffle(Vector256.Create(c, d), Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7)).Store(upper + width + 2 * square);
        }
    }

    /// <summary>Of two pairs of rows of four numbers.</summary>
    private readonly struct ShortRows : ISquares
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static (Vector128<float> A, Vector128<float> B, Vector128<float> C, Vector128<float> D) Load(float* upper, int square, int width)
        {
            // a a c c b b d d
            var first = Vector256.Shuffle(Vector256.Load(upper + 4 * square), Vector256.Create(0, 2, 4, 6, 1, 3, 5, 7));
            var second = Vector256.Shuffle(Vector256.Load(upper + 4 * square + 8), Vector256.Create(0, 2, 4, 6, 1, 3, 5, 7));
            var left = Exchange(Vector256.Create(first.GetLower(), second.GetLower()));
            var right = Exchange(Vector256.Create(first.GetUpper(), second.GetUpper()));
            return (left.GetLower(), right.GetLower(), left.GetUpper(), right.GetUpper());
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Store(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d, float* upper, int square, int width)
        {
            var left = Exchange(Vector256.Create(a, c));
            var right = Exchange(Vector256.Create(b, d));
            Vector256.Shuffle(Vector256.Create(left.GetLower(), right.GetLower()), Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7)).Store(upper + 4 * square);
            Vector256.Shuffle(Vector256.Create(left.GetUpper(), right.GetUpper()), Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7)).Store(upper + 4 * square + 8);
        }

        /// <summary>The two middle pairs take each other's place.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector256<float> Exchange(Vector256<float> pairs) => Vector256.Shuffle(pairs, Vector256.Create(0, 1, 4, 5, 2, 3, 6, 7));
    }
}
