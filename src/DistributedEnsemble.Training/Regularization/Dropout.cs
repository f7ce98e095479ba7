using DistributedEnsemble.Training.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training;

/// <summary>
/// Drops each unit with probability <paramref name="Rate"/> (Srivastava et al., 2014). Inverted dropout divides by the keep
/// probability when it drops and leaves the expectation alone; vanilla dropout drops unscaled, and the expectation is
/// multiplied by the keep probability.
/// </summary>
public sealed record Dropout(double Rate, DropoutKind Kind) : Layer
{
    public override Function Build(NetworkBuilder builder)
    {
        var (number, width) = (builder.Dropout(), builder.Width);
        var keep = 1 - Rate;
        var (kept, expected) = Kind == DropoutKind.Inverted ? (1 / keep, 1.0) : (1.0, keep);
        builder.Operation = place => new DropoutOperation(number, width, Rate, (float)kept, (float)expected, place);
        var drop = Masks(number);
        return (_, units, noise) => drop(units, noise);
    }

    /// <summary>The layer on libtorch, for rows that come first in the units' shape.</summary>
    /// <param name="number">The layer's, for the masks.</param>
    internal Func<Tensor, Noise, Tensor> Masks(int number)
    {
        var keep = 1 - Rate;
        var (kept, expected) = Kind == DropoutKind.Inverted ? (1 / keep, 1.0) : (1.0, keep);
        // One scalar for all passes, and none where libtorch is not used.
        var scale = new Lazy<Scalar>(() => (float)expected);
        return (units, noise) => noise.HasMasks ? Drop(units, noise, number, (float)kept) : expected == 1 ? units : units * scale.Value;
    }

    private Tensor Drop(Tensor units, Noise noise, int number, float kept)
    {
        if (noise.Samples == 0)
        {
            var mask = empty(units.shape);
            noise.Mask(number, 0, Rate, kept, mask.Floats());
            return units * mask;
        }

        // One mask for all rows, and the rows once for each: [samples, rows, …].
        var (rows, shape) = ((long)noise.RowsOf((int)units.size(0)), units.shape[1..]);
        var masks = empty([noise.Samples, 1, .. shape]);
        var length = masks.numel() / noise.Samples;
        for (var i = 0; i < noise.Samples; i++) noise.Mask(number, i, Rate, kept, masks.Floats().Slice((int)(i * length), (int)length));
        return (units.reshape([-1, rows, .. shape]) * masks).flatten(0, 1);
    }
}

/// <summary>Multiplies by masks, in place where it is trained; samples of Monte-Carlo dropout repeat the rows at the first dropout.</summary>
internal sealed unsafe class DropoutOperation : Operation
{
    private readonly int _number;
    private readonly double _rate;
    private readonly float _kept, _expected;
    private readonly float* _masks, _samples;
    private bool _isMasked;

    public DropoutOperation(int number, int width, double rate, float kept, float expected, OperationPlace place) : base(width)
    {
        (_number, _rate, _kept, _expected) = (number, rate, kept, expected);
        _masks = place.Memory.Take((long)place.Rows * width);
        if (!place.IsTrained) _samples = place.Memory.Take((long)place.Rows * width);
    }

    public override bool IsInPlace => true;

    public override void Forward(Pass pass, float* inputs)
    {
        var noise = pass.Noise;
        Outputs = inputs;
        _isMasked = noise.HasMasks;
        if (!_isMasked)
        {
            if (_expected != 1) Elementwise.Scale(inputs, _expected, (nint)pass.Rows * Width);
        }
        else if (noise.Samples == 0)
        {
            noise.Mask(_number, 0, _rate, _kept, new Span<float>(_masks, pass.Rows * Width));
            Elementwise.Multiply(inputs, _masks, (nint)pass.Rows * Width);
        }
        else
        {
            Sample(pass, inputs);
        }
    }

    public override void Backward(Pass pass, float* inputs, float* gradient, float* inputGradient)
    {
        if (_isMasked) Elementwise.Multiply(gradient, _masks, (nint)pass.Rows * Width);
        else if (_expected != 1) Elementwise.Scale(gradient, _expected, (nint)pass.Rows * Width);
    }

    private void Sample(Pass pass, float* inputs)
    {
        var (noise, rows) = (pass.Noise, pass.Noise.RowsOf(pass.Rows));
        for (var i = 0; i < noise.Samples; i++) noise.Mask(_number, i, _rate, _kept, new Span<float>(_masks + (nint)i * Width, Width));
        if (pass.Rows == rows)
        {
            for (var i = 0; i < noise.Samples; i++) Buffer.MemoryCopy(inputs, _samples + (nint)i * rows * Width, (long)rows * Width * sizeof(float), (long)rows * Width * sizeof(float));
            Outputs = _samples;
            pass.Rows = rows * noise.Samples;
        }

        for (var row = 0; row < pass.Rows; row++) Elementwise.Multiply(Outputs + (nint)row * Width, _masks + (nint)(row / rows) * Width, Width);
    }
}
