using DistributedEnsemble.Predictions;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Training.Tasks;

/// <summary>
/// What an ensemble does not know (Depeweg et al., "Decomposition of uncertainty", ICML 2018, eq. 1, here in nats): the entropy
/// of the averaged probabilities is the mean entropy of the models, which more models could not remove, plus the mutual
/// information of class and model, on which the models disagree.
/// </summary>
internal sealed class ClassUncertainty(Classification task) : IMeasurement
{
    private double _entropy, _expected;
    private long _rows;

    public void Add(AnswerRows rows, ReadOnlySpan<float> targets)
    {
        for (var row = 0; row < targets.Length; row++)
        {
            var answer = rows.Mean.AsSpan(row * task.Width, task.Width);
            _entropy += Uncertainty.Entropy(answer[..^1]);
            _expected += answer[^1];
        }

        _rows += targets.Length;
    }

    public Measures Result() => Measures.Of(
        ("entropy", _entropy / _rows), ("expectedEntropy", _expected / _rows), ("mutualInformation", Math.Max(0, (_entropy - _expected) / _rows)));
}
