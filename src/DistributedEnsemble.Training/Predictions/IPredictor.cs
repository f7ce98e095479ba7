using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Predictions;

/// <summary>Answers to rows; an average of predictors is a predictor.</summary>
public interface IPredictor
{
    /// <summary>Numbers of an answer to one row, as the task defines them.</summary>
    int Width { get; }

    /// <param name="inputs">[rows, inputs], preprocessed.</param>
    /// <param name="answers">[rows, width], overwritten.</param>
    void Answer(ReadOnlySpan<float> inputs, Span<double> answers);
}

/// <summary>One model, or the mean of its submodels, with the expectation of its noise: dropout by weight scaling.</summary>
public sealed class SingleModel(Network network, LearningTask task, Weights weights) : IPredictor
{
    public int Width => task.Width;

    public void Answer(ReadOnlySpan<float> inputs, Span<double> answers)
    {
        var rows = answers.Length / Width;
        using var rented = network.Rent(rows);
        Answer(rented, inputs, answers);
    }

    /// <summary>The same by a function that the caller has.</summary>
    internal void Answer(RentedFunction function, ReadOnlySpan<float> inputs, Span<double> answers)
    {
        var rows = answers.Length / Width;
        for (var first = 0; first < rows; first += function.Rows)
        {
            var count = Math.Min(function.Rows, rows - first);
            var outputs = function.Forward(weights, inputs, first, count, Noise.None);
            SubmodelMean.Answer(task, network.Submodels, outputs, answers.Slice(first * Width, count * Width));
        }
    }
}

/// <summary>The mean of its constituents' answers, summed in their order (Lakshminarayanan et al., 2017).</summary>
/// <param name="multiplicities">How often each constituent counts; null is once.</param>
public sealed class Ensemble(IReadOnlyList<IPredictor> constituents, IReadOnlyList<int>? multiplicities = null) : IPredictor
{
    public int Width => constituents[0].Width;

    public void Answer(ReadOnlySpan<float> inputs, Span<double> answers)
    {
        var mean = new AnswerMean();
        for (var i = 0; i < constituents.Count; i++)
        {
            constituents[i].Answer(inputs, answers);
            mean.Add(answers, multiplicities?[i] ?? 1);
        }

        mean.ToArray().CopyTo(answers);
    }
}
