namespace DistributedEnsemble.Training;

/// <summary>
/// What an ensemble does not know (Depeweg et al., "Decomposition of uncertainty", ICML 2018, eq. 1, here in nats): the entropy
/// of the averaged probabilities is the mean entropy of the models plus the mutual information of class and model.
/// </summary>
public sealed class UncertaintyMean
{
    private double _entropy, _expected;
    private long _rows;

    /// <param name="answers">Of the ensemble.</param>
    public void Add(RowAnswers answers, int classes)
    {
        for (var row = 0; row < answers.ExpectedEntropies.Length; row++)
        {
            _entropy += Uncertainty.Entropy(answers.Probabilities.AsSpan(row * classes, classes));
            _expected += answers.ExpectedEntropies[row];
        }

        _rows += answers.ExpectedEntropies.Length;
    }

    public UncertaintyMetrics Result() => new(_entropy / _rows, _expected / _rows, Math.Max(0, (_entropy - _expected) / _rows));
}
