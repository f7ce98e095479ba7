using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Torch;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Training.Networks;

/// <summary>
/// Batch normalization of each channel (Ioffe and Szegedy, 2015): y = γ·(x − μ)/√(σ² + 1e-5) + β. In training μ and σ² are
/// those of the batch, and the running statistics move a tenth of the way to them (the unbiased variance); elsewhere they
/// are the running statistics. Exactly PyTorch's BatchNorm1d and BatchNorm2d.
/// </summary>
public sealed record BatchNorm : Layer
{
    internal const double Momentum = 0.1, Epsilon = 1e-5;

    public override Function Build(NetworkBuilder builder)
    {
        var channels = builder.Shape[0];
        var weight = builder.Parameter("weight", [channels], Initialization.Value(1), isDecayed: false);
        var bias = builder.Parameter("bias", [channels], Initialization.Value(0), isDecayed: false);
        var mean = builder.Statistic("running_mean", [channels], 0);
        var variance = builder.Statistic("running_var", [channels], 1);
        var pixels = (int)(builder.Width / channels);
        if (pixels == 1) builder.NotOneRow ??= "model: one row of one pixel has no variance, by which batch norm divides";
        var places = (builder.Offset(weight), builder.Offset(bias), builder.Offset(mean), builder.Offset(variance));
        builder.Operation = place => new BatchNormOperation((int)channels, pixels, places, place);
        return (weights, inputs, noise) => noise.IsTraining
            ? Train(inputs, weights[weight], weights[bias], weights[mean], weights[variance])
            : functional.batch_norm(inputs, weights[mean], weights[variance], weights[weight], weights[bias], false, Momentum, Epsilon);
    }

    private static Tensor Train(Tensor inputs, Tensor weight, Tensor bias, Tensor mean, Tensor variance)
    {
        // Autograd refuses a saved tensor whose memory was written to since, and all statistics share one vector: an update in
        // place would spoil the backward pass of the layer before.
        var (newMean, newVariance) = (mean.clone(), variance.clone());
        var outputs = functional.batch_norm(inputs, newMean, newVariance, weight, bias, true, Momentum, Epsilon);
        newMean.Floats().CopyTo(mean.Floats());
        newVariance.Floats().CopyTo(variance.Floats());
        return outputs;
    }
}

/// <summary>
/// Mean and variance of a channel are sums over the rows in their order, of sums over a row's pixels; the gradients of weight and
/// bias are, too.
/// </summary>
internal sealed unsafe class BatchNormOperation : Operation
{
    private readonly int _channels, _pixels;
    private readonly (int Weight, int Bias, int Mean, int Variance) _places;

    /// <summary>Of each channel: what forward normalised by.</summary>
    private readonly float* _means, _factors;

    private readonly Action<int, int> _forward, _backward;
    private bool _isOfBatch;

    /// <param name="places">In the flat vectors.</param>
    public BatchNormOperation(int channels, int pixels, (int Weight, int Bias, int Mean, int Variance) places, OperationPlace place)
        : base(channels * pixels)
    {
        (_channels, _pixels, _places) = (channels, pixels, places);
        (_forward, _backward) = (ForwardPart, BackwardPart);
        Outputs = place.Memory.Take((long)place.Rows * Width);
        _means = place.Memory.Take(channels);
        _factors = place.Memory.Take(channels);
    }

    public override void Forward(Pass pass, float* inputs)
    {
        _isOfBatch = pass.Noise.IsTraining;
        Share(_forward, (long)pass.Rows * Width, pass, inputs);
    }

    public override void Backward(Pass pass, float* inputs, float* gradient, float* inputGradient) =>
        Share(_backward, (long)pass.Rows * Width, pass, inputs, gradient, inputGradient);

    /// <summary>Some channels.</summary>
    private void ForwardPart(int part, int parts)
    {
        var pass = Work.Pass;
        var inputs = Work.Inputs;
        for (var channel = Team.Place(_channels, 1, part, parts); channel < Team.Place(_channels, 1, part + 1, parts); channel++)
        {
            var mean = pass.Statistics + _places.Mean + channel;
            var variance = pass.Statistics + _places.Variance + channel;
            var (ofInputs, around) = _isOfBatch ? Measure(pass, inputs, channel, mean, variance) : (*mean, *variance);
            _means[channel] = ofInputs;
            _factors[channel] = (float)(1 / Math.Sqrt(around + BatchNorm.Epsilon));
            var scale = pass.Parameters[_places.Weight + channel] * _factors[channel];
            var shift = pass.Parameters[_places.Bias + channel];
            for (nint row = 0; row < pass.Rows; row++) Normalise(Plane(inputs, row, channel), Plane(Outputs, row, channel), ofInputs, scale, shift, _pixels);
        }
    }

    /// <inheritdoc cref="ForwardPart"/>
    private void BackwardPart(int part, int parts)
    {
        var pass = Work.Pass;
        float* inputs = Work.Inputs, gradient = Work.Gradient, inputGradient = Work.InputGradient;
        var count = (float)pass.Rows * _pixels;
        for (var channel = Team.Place(_channels, 1, part, parts); channel < Team.Place(_channels, 1, part + 1, parts); channel++)
        {
            var (sum, product) = (0f, 0f);
            for (nint row = 0; row < pass.Rows; row++)
            {
                sum += Sums.Of(Plane(gradient, row, channel), _pixels);
                product += Sums.OfProducts(Plane(inputs, row, channel), _means[channel], Plane(gradient, row, channel), _pixels);
            }

            pass.Gradient[_places.Bias + channel] = sum;
            pass.Gradient[_places.Weight + channel] = product * _factors[channel];
            if (inputGradient == null) continue;
            var scale = pass.Parameters[_places.Weight + channel] * _factors[channel];
            var (shift, slope) = _isOfBatch ? (sum / count, product * _factors[channel] * _factors[channel] / count) : (0, 0);
            for (nint row = 0; row < pass.Rows; row++)
            {
                Slopes(
                    Plane(inputs, row, channel), Plane(gradient, row, channel), Plane(inputGradient, row, channel), _means[channel], scale, shift,
                    slope, _pixels);
            }
        }
    }

    /// <summary>The mean and the variance of the batch; moves the running ones a tenth of the way to them.</summary>
    private (float Mean, float Variance) Measure(Pass pass, float* inputs, int channel, float* mean, float* variance)
    {
        var (sum, squares, count) = (0f, 0f, (float)pass.Rows * _pixels);
        for (nint row = 0; row < pass.Rows; row++) sum += Sums.Of(Plane(inputs, row, channel), _pixels);
        var ofBatch = sum / count;
        for (nint row = 0; row < pass.Rows; row++) squares += Sums.OfSquares(Plane(inputs, row, channel), ofBatch, _pixels);
        const float Share = (float)BatchNorm.Momentum, Rest = (float)(1 - BatchNorm.Momentum);
        *mean = Rest * *mean + Share * ofBatch;
        *variance = Rest * *variance + Share * (squares / (count - 1));
        return (ofBatch, squares / count);
    }

    private float* Plane(float* planes, nint row, int channel) => planes + (row * _channels + channel) * _pixels;

    /// <summary>y = (x − mean)·scale + shift.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Normalise(float* x, float* y, float mean, float scale, float shift, int length)
    {
        var (means, scales, shifts) = (Vector256.Create(mean), Vector256.Create(scale), Vector256.Create(shift));
        var i = 0;
        for (; i <= length - 8; i += 8) Vector256.FusedMultiplyAdd(Vector256.Load(x + i) - means, scales, shifts).Store(y + i);
        for (; i < length; i++) y[i] = MathF.FusedMultiplyAdd(x[i] - mean, scale, shift);
    }

    /// <summary>dx = (dy − shift − (x − mean)·slope)·scale.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Slopes(float* x, float* dy, float* dx, float mean, float scale, float shift, float slope, int length)
    {
        var (means, scales, shifts, slopes) = (Vector256.Create(mean), Vector256.Create(scale), Vector256.Create(shift), Vector256.Create(-slope));
        var i = 0;
        for (; i <= length - 8; i += 8)
        {
            (Vector256.FusedMultiplyAdd(Vector256.Load(x + i) - means, slopes, Vector256.Load(dy + i) - shifts) * scales).Store(dx + i);
        }

        for (; i < length; i++) dx[i] = MathF.FusedMultiplyAdd(x[i] - mean, -slope, dy[i] - shift) * scale;
    }
}
