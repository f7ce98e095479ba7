using DistributedEnsemble.Predictions;

namespace DistributedEnsemble.Training.Tasks;

/// <summary>
/// The roots of the mean variances, in the target's units: of the predictions, of what the models say (aleatoric), and of what
/// they disagree on (epistemic).
/// </summary>
internal sealed class RegressionUncertainty(Regression task) : IMeasurement
{
    private double _aleatoric, _epistemic;
    private long _rows;

    public void Add(AnswerRows rows, ReadOnlySpan<float> targets)
    {
        for (var row = 0; row < targets.Length; row++)
        {
            var answer = rows.Mean.AsSpan(row * task.Width, task.Width);
            _aleatoric += task.Aleatoric(answer);
            _epistemic += Regression.Spread(answer);
        }

        _rows += targets.Length;
    }

    public Measures Result() => Measures.Of(
        ("standardDeviation", Root(_aleatoric + _epistemic)), ("aleatoric", Root(_aleatoric)), ("epistemic", Root(_epistemic)));

    private double Root(double sum) => task.Deviation * Math.Sqrt(sum / _rows);
}
