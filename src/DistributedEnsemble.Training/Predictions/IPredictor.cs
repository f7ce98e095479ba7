using static TorchSharp.torch;

namespace DistributedEnsemble.Training;

/// <summary>Answers with class probabilities; an average of predictors is a predictor.</summary>
public interface IPredictor
{
    /// <param name="inputs">[batch, …], float32, preprocessed.</param>
    /// <returns>Class probabilities, [batch, classes], rows sum to 1.</returns>
    Tensor Predict(Tensor inputs);

    /// <summary>The same probabilities, and how uncertain the models behind them are.</summary>
    /// <param name="inputs">[batch, …], float32, preprocessed.</param>
    Answer Answer(Tensor inputs)
    {
        var probabilities = Predict(inputs);
        return new Answer(probabilities, Training.Answer.EntropyOf(probabilities));
    }
}

/// <summary>A predictor's answer.</summary>
/// <param name="Probabilities">[batch, classes], rows sum to 1.</param>
/// <param name="ExpectedEntropy">[batch]: the mean of the entropies of the models that were averaged, in nats.</param>
public readonly record struct Answer(Tensor Probabilities, Tensor ExpectedEntropy)
{
    /// <summary>−Σ p·ln p over the last dimension.</summary>
    public static Tensor EntropyOf(Tensor probabilities) => special.entr(probabilities).sum(-1);
}

/// <summary>One model with the expectation of its noise: dropout by weight scaling.</summary>
public sealed class SingleModel(Network network, Weights weights) : IPredictor
{
    public Tensor Predict(Tensor inputs) => network.Forward(weights, inputs, Noise.None).softmax(1);
}

/// <summary>The mean of its constituents' probabilities, summed in their order (Lakshminarayanan et al., 2017).</summary>
/// <param name="multiplicities">How often each constituent counts; null is once.</param>
public sealed class Ensemble(IReadOnlyList<IPredictor> constituents, IReadOnlyList<int>? multiplicities = null) : IPredictor
{
    private readonly int _count = multiplicities?.Sum() ?? constituents.Count;

    public Tensor Predict(Tensor inputs)
    {
        using var scope = NewDisposeScope();
        Tensor? sum = null;
        for (var i = 0; i < constituents.Count; i++) sum = Sum(sum, constituents[i].Predict(inputs), i);
        return sum!.div_(_count).MoveToOuterDisposeScope();
    }

    public Answer Answer(Tensor inputs)
    {
        using var scope = NewDisposeScope();
        Tensor? sum = null, entropy = null;
        for (var i = 0; i < constituents.Count; i++)
        {
            var answer = constituents[i].Answer(inputs);
            sum = Sum(sum, answer.Probabilities, i);
            entropy = Sum(entropy, answer.ExpectedEntropy, i);
        }

        return new Answer(sum!.div_(_count).MoveToOuterDisposeScope(), entropy!.div_(_count).MoveToOuterDisposeScope());
    }

    private Tensor Sum(Tensor? sum, Tensor values, int constituent) =>
        (sum ?? zeros_like(values)).add_(values, multiplicities?[constituent] ?? 1);
}
