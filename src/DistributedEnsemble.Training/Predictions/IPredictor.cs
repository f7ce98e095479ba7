using static TorchSharp.torch;

namespace DistributedEnsemble.Training;

/// <summary>Answers with class probabilities; an average of predictors is a predictor.</summary>
public interface IPredictor
{
    /// <param name="inputs">[batch, …], float32, preprocessed.</param>
    /// <returns>Class probabilities, [batch, classes], rows sum to 1.</returns>
    Tensor Predict(Tensor inputs);
}

/// <summary>One model with the expectation of its noise: dropout by weight scaling.</summary>
public sealed class SingleModel(Network network, Weights weights) : IPredictor
{
    public Tensor Predict(Tensor inputs) => network.Forward(weights, inputs, Noise.None).softmax(1);
}

/// <summary>The mean of its constituents' probabilities, summed in their order (Lakshminarayanan et al., 2017).</summary>
public sealed class Ensemble(IReadOnlyList<IPredictor> constituents) : IPredictor
{
    public Tensor Predict(Tensor inputs)
    {
        using var scope = NewDisposeScope();
        var sum = constituents[0].Predict(inputs).clone();
        foreach (var constituent in constituents.Skip(1)) sum.add_(constituent.Predict(inputs));
        return sum.div_(constituents.Count).MoveToOuterDisposeScope();
    }
}

/// <summary>The mean over dropout masks, each the same for all rows (Gal and Ghahramani, 2016).</summary>
public sealed class MonteCarloDropout(Network network, Weights weights, RandomSource random, int member, int samples) : IPredictor
{
    public Tensor Predict(Tensor inputs)
    {
        using var scope = NewDisposeScope();
        var sum = Sample(inputs, 0);
        for (var sample = 1; sample < samples; sample++) sum.add_(Sample(inputs, sample));
        return sum.div_(samples).MoveToOuterDisposeScope();
    }

    private Tensor Sample(Tensor inputs, int sample) =>
        network.Forward(weights, inputs, new MonteCarloNoise(random, member, sample)).softmax(1);
}
