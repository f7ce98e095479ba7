namespace DistributedEnsemble.Training;

/// <summary>Measures class probabilities against the labels, rows at a time.</summary>
public sealed class PredictionQuality(int classes)
{
    /// <summary>Of the expected calibration error.</summary>
    public const int Bins = 15;

    private readonly (long Count, double Confidence, long Right)[] _bins = new (long, double, long)[Bins];
    private double _nll, _brier;
    private long _rows, _right;

    /// <summary>All rows at once.</summary>
    /// <inheritdoc cref="Add(ReadOnlySpan{float}, ReadOnlySpan{long})"/>
    public static PredictionMetrics Of(ReadOnlySpan<float> probabilities, ReadOnlySpan<float> labels, int classes)
    {
        var quality = new PredictionQuality(classes);
        quality.Add(probabilities, labels);
        return quality.Result();
    }

    /// <param name="probabilities">[rows, classes], row after row.</param>
    /// <param name="labels">The class of each row.</param>
    public void Add(ReadOnlySpan<float> probabilities, ReadOnlySpan<float> labels)
    {
        for (var row = 0; row < labels.Length; row++)
        {
            Add(probabilities.Slice(row * classes, classes), (int)labels[row]);
        }
    }

    /// <exception cref="InvalidOperationException">No row was added.</exception>
    public PredictionMetrics Result()
    {
        if (_rows == 0) throw new InvalidOperationException("Metrics of no rows.");
        var ece = _bins.Sum(bin => Math.Abs(bin.Confidence - bin.Right)) / _rows;
        return new PredictionMetrics((double)_right / _rows, _nll / _rows, _brier / _rows, ece);
    }

    private void Add(ReadOnlySpan<float> row, int label)
    {
        var best = System.Numerics.Tensors.TensorPrimitives.IndexOfMax(row);
        var isRight = best == label;
        _rows++;
        if (isRight) _right++;

        // A probability that underflowed counts as the smallest there is: one such row must not make the mean infinite.
        _nll -= Math.Log(Math.Max(row[label], float.Epsilon));
        for (var c = 0; c < row.Length; c++)
        {
            var distance = row[c] - (c == label ? 1.0 : 0.0);
            _brier += distance * distance;
        }

        // Bin m is ((m−1)/15, m/15], as in Guo et al., 2017.
        var bin = Math.Clamp((int)Math.Ceiling((double)row[best] * Bins) - 1, 0, Bins - 1);
        ref var entry = ref _bins[bin];
        entry = (entry.Count + 1, entry.Confidence + row[best], entry.Right + (isRight ? 1 : 0));
    }
}
