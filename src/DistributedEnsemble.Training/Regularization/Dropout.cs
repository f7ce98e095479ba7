using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Regularization;

/// <summary>
/// Drops each unit with probability <paramref name="Rate"/> (Srivastava et al., 2014). Inverted dropout divides by the keep
/// probability when it drops and leaves the expectation alone; vanilla dropout drops unscaled, and the expectation is
/// multiplied by the keep probability.
/// </summary>
/// <param name="IsSpatial">
/// Whether the units of an image are its channels, each dropped whole: its pixels say nearly the same, and would otherwise stand
/// in for each other (Tompson et al., "Efficient object localization using convolutional networks", 2015).
/// </param>
public sealed record Dropout(double Rate, DropoutKind Kind, bool IsSpatial = false) : Layer
{
    public override Function Build(NetworkBuilder builder)
    {
        var (number, width) = (builder.Dropout(), builder.Width);
        var units = IsSpatial && builder.Shape.Count == 3 ? (int)builder.Shape[0] : width;
        var keep = 1 - Rate;
        var (kept, expected) = Kind == DropoutKind.Inverted ? (1 / keep, 1.0) : (1.0, keep);
        builder.Operation = place => new DropoutOperation(number, units, width / units, Rate, (float)kept, (float)expected, place);
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
            var mask = empty([units.size(0), .. OfMask(units.shape[1..])]);
            noise.Mask(number, 0, Rate, kept, mask.Floats());
            return units * mask;
        }

        // One mask for all rows, and the rows once for each: [samples, rows, …].
        var (rows, shape) = ((long)noise.RowsOf((int)units.size(0)), units.shape[1..]);
        var masks = empty([noise.Samples, 1, .. OfMask(shape)]);
        var length = masks.numel() / noise.Samples;
        for (var i = 0; i < noise.Samples; i++) noise.Mask(number, i, Rate, kept, masks.Floats().Slice((int)(i * length), (int)length));
        return (units.reshape([-1, rows, .. shape]) * masks).flatten(0, 1);
    }

    private long[] OfMask(long[] shape) => IsSpatial && shape.Length == 3 ? [shape[0], 1, 1] : shape;
}

/// <summary>Multiplies by masks, in place where it is trained; samples of Monte-Carlo dropout repeat the rows at the first dropout.</summary>
internal sealed unsafe class DropoutOperation : Operation
{
    private readonly int _number, _units, _size;
    private readonly double _rate;
    private readonly float _kept, _expected;
    private readonly float* _masks, _samples;
    private bool _isMasked;

    /// <param name="units">Of a row; each is dropped whole.</param>
    /// <param name="size">Numbers of a unit.</param>
    public DropoutOperation(int number, int units, int size, double rate, float kept, float expected, OperationPlace place) : base(units * size)
    {
        (_number, _units, _size, _rate, _kept, _expected) = (number, units, size, rate, kept, expected);
        _masks = place.Memory.Take((long)place.Rows * units);
        if (!place.IsTrained) _samples = place.Memory.Take((long)place.Rows * Width);
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
            noise.Mask(_number, 0, _rate, _kept, new Span<float>(_masks, pass.Rows * _units));
            Multiply(inputs, _masks, pass.Rows);
        }
        else
        {
            Sample(pass, inputs);
        }
    }

    public override void Backward(Pass pass, float* inputs, float* gradient, float* inputGradient)
    {
        if (_isMasked) Multiply(gradient, _masks, pass.Rows);
        else if (_expected != 1) Elementwise.Scale(gradient, _expected, (nint)pass.Rows * Width);
    }

    private void Sample(Pass pass, float* inputs)
    {
        var (noise, rows) = (pass.Noise, pass.Noise.RowsOf(pass.Rows));
        for (var i = 0; i < noise.Samples; i++) noise.Mask(_number, i, _rate, _kept, new Span<float>(_masks + (nint)i * _units, _units));
        if (pass.Rows == rows)
        {
            for (var i = 0; i < noise.Samples; i++) Buffer.MemoryCopy(inputs, _samples + (nint)i * rows * Width, (long)rows * Width * sizeof(float), (long)rows * Width * sizeof(float));
            Outputs = _samples;
            pass.Rows = rows * noise.Samples;
        }

        for (var row = 0; row < pass.Rows; row++) Multiply(Outputs + (nint)row * Width, _masks + (nint)(row / rows) * _units, rows: 1);
    }

    private void Multiply(float* values, float* masks, int rows)
    {
        var units = (nint)rows * _units;
        if (_size == 1) Elementwise.Multiply(values, masks, units);
        else for (nint unit = 0; unit < units; unit++) Elementwise.Scale(values + unit * _size, masks[unit], _size);
    }
}
