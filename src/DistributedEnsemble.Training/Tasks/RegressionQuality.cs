using DistributedEnsemble.Predictions;

namespace DistributedEnsemble.Training.Tasks;

/// <summary>
/// Measures predicted numbers, in the target's units: the roots of the mean squared and the mean absolute error of μ*; R², the
/// share of the test rows' variance that μ* explains, undefined where there is none; the NLL of the mixture's density, natural
/// logarithm; its CRPS; and the share of rows within the intervals μ* ± z·σ* that shall hold 50, 90 and 95 % of them.
/// </summary>
internal sealed class RegressionQuality(Regression task, bool isCalibrated) : IMeasurement
{
    private static readonly (string Name, double Z)[] s_intervals =
        [("0.5", Normal.Quantile(0.75)), ("0.9", Normal.Quantile(0.95)), ("0.95", Normal.Quantile(0.975))];

    private readonly long[] _covered = new long[s_intervals.Length];
    private double _squares, _distances, _nll, _crps, _sum, _sumOfSquares;
    private long _rows;

    public void Add(AnswerRows rows, ReadOnlySpan<float> targets)
    {
        var mixtures = new MixtureRows(task, rows);
        var factor = task.Factor(isCalibrated);
        for (var row = 0; row < targets.Length; row++)
        {
            var answer = rows.Mean.AsSpan(row * task.Width, task.Width);
            double y = targets[row], distance = Math.Abs(y - answer[0]), deviation = factor * Math.Sqrt(task.TotalVariance(answer));
            _squares += distance * distance;
            _distances += distance;
            _sum += y;
            _sumOfSquares += y * y;
            for (var i = 0; i < _covered.Length; i++) if (distance <= s_intervals[i].Z * deviation) _covered[i]++;
            var mixture = mixtures.At(row, factor);
            _nll += mixture.Nll(y);
            _crps += mixture.Crps(y);
        }

        _rows += targets.Length;
    }

    public Measures Result()
    {
        if (_rows == 0) throw new InvalidOperationException("Measures of no rows.");
        var spread = _sumOfSquares - _sum * _sum / _rows;
        return Measures.Of(
        [
            ("rmse", task.Deviation * Math.Sqrt(_squares / _rows)), ("mae", task.Deviation * _distances / _rows),
            ("r2", spread > 1e-12 * _sumOfSquares ? 1 - _squares / spread : null), ("nll", _nll / _rows + Math.Log(task.Deviation)),
            ("crps", task.Deviation * _crps / _rows),
            .. s_intervals.Select((interval, i) => ($"coverage.{interval.Name}", (double?)((double)_covered[i] / _rows))),
        ]);
    }
}
