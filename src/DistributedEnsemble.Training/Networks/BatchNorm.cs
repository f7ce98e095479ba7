using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Training;

/// <summary>
/// Batch normalization of each channel (Ioffe and Szegedy, 2015): y = γ·(x − μ)/√(σ² + 1e-5) + β. In training μ and σ² are
/// those of the batch, and the running statistics move a tenth of the way to them (the unbiased variance); elsewhere they
/// are the running statistics. Exactly PyTorch's BatchNorm1d and BatchNorm2d.
/// </summary>
public sealed record BatchNorm : Layer
{
    private const double Momentum = 0.1, Epsilon = 1e-5;

    public override Function Build(NetworkBuilder builder)
    {
        var channels = builder.Shape[0];
        var weight = builder.Parameter("weight", [channels], Initialization.Value(1), isDecayed: false);
        var bias = builder.Parameter("bias", [channels], Initialization.Value(0), isDecayed: false);
        var mean = builder.Statistic("running_mean", [channels], 0);
        var variance = builder.Statistic("running_var", [channels], 1);
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
