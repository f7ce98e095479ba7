using System.Collections.Immutable;
using System.Numerics.Tensors;
using DistributedEnsemble.Predictions;

namespace DistributedEnsemble.Training.Tasks;

/// <summary>
/// Measures class probabilities: accuracy; NLL, natural logarithm; the Brier score, summed over classes (Brier, 1950); the
/// expected calibration error in 15 equal bins of confidence (Guo et al., 2017); balanced accuracy, the mean recall of the
/// classes that have rows; F1, its unweighted mean over the classes that have rows or were named; and the area under the ROC
/// curve, of two classes that of the second, of more the mean of each against the rest, undefined where a class has no rows.
/// </summary>
internal sealed class ClassificationQuality(Classification task, bool isCalibrated = false) : IMeasurement
{
    /// <summary>Of the expected calibration error.</summary>
    public const int Bins = 15;

    private readonly int _classes = task.Classes.Count;
    private readonly (double Confidence, long Right)[] _bins = new (double, long)[Bins];
    private readonly Dictionary<(int True, int Named), long> _confusion = [];
    private readonly List<float>[] _scores = [.. task.Classes.Select(_ => new List<float>())];
    private readonly List<ushort> _labels = [];
    private double _nll, _brier;
    private long _right;

    /// <summary>All rows of one model or average at once.</summary>
    /// <param name="answers">[rows, width].</param>
    public static Measures Of(Classification task, ReadOnlyMemory<double> answers, ReadOnlySpan<float> targets, bool isCalibrated = false)
    {
        var quality = new ClassificationQuality(task, isCalibrated);
        quality.Add(AnswerRows.Of(answers), targets);
        return quality.Result();
    }

    public void Add(AnswerRows rows, ReadOnlySpan<float> targets)
    {
        var probabilities = task.Probabilities(rows.Mean);
        if (isCalibrated) probabilities = task.Calibrated(probabilities);
        for (var row = 0; row < targets.Length; row++) Add(probabilities.AsSpan(row * _classes, _classes), (int)targets[row]);
    }

    public Measures Result()
    {
        double rows = _labels.Count > 0 ? _labels.Count : throw new InvalidOperationException("Measures of no rows.");
        var (recalls, f1) = (new List<double>(), new List<double>());
        for (var c = 0; c < _classes; c++)
        {
            var (right, given, named) = Counts(c);
            if (given > 0) recalls.Add(right / given);
            if (given + named > 0) f1.Add(2 * right / (given + named));
        }

        return Measures.Of(
            ("accuracy", _right / rows), ("nll", _nll / rows), ("brier", _brier / rows),
            ("ece", _bins.Sum(bin => Math.Abs(bin.Confidence - bin.Right)) / rows), ("balancedAccuracy", recalls.Average()), ("f1", f1.Average()),
            ("auc", AreaUnderCurve()));
    }

    public ClassTable Classes => new(
        [.. task.Classes],
        [.. task.Classes.Select((_, label) => task.Classes.Select((_, named) => _confusion.GetValueOrDefault((label, named))).ToImmutableArray())],
        [.. task.Classes.Select((_, c) => Counts(c) is (var right, _, > 0 and var named) ? right / named : (double?)null)],
        [.. task.Classes.Select((_, c) => Counts(c) is (var right, > 0 and var given, _) ? right / given : (double?)null)]);

    ClassTable? IMeasurement.Classes => Classes;

    private void Add(ReadOnlySpan<double> row, int label)
    {
        var best = TensorPrimitives.IndexOfMax(row);
        if (best == label) _right++;
        _labels.Add((ushort)label);
        _confusion[(label, best)] = _confusion.GetValueOrDefault((label, best)) + 1;

        // A probability that underflowed counts as the smallest there is: one such row must not make the mean infinite.
        _nll -= Math.Log(Math.Max(row[label], float.Epsilon));
        for (var c = 0; c < row.Length; c++)
        {
            var distance = row[c] - (c == label ? 1.0 : 0.0);
            _brier += distance * distance;
            _scores[c].Add((float)row[c]);
        }

        // Bin m is ((m−1)/15, m/15], as in Guo et al., 2017.
        ref var bin = ref _bins[Math.Clamp((int)Math.Ceiling((float)row[best] * Bins) - 1, 0, Bins - 1)];
        bin = (bin.Confidence + row[best], bin.Right + (best == label ? 1 : 0));
    }

    /// <summary>Rows of a class that were given it, all rows of it, and all rows that were given it.</summary>
    private (double Right, double Given, double Named) Counts(int c) => (
        _confusion.GetValueOrDefault((c, c)), _confusion.Where(cell => cell.Key.True == c).Sum(cell => cell.Value),
        _confusion.Where(cell => cell.Key.Named == c).Sum(cell => cell.Value));

    private double? AreaUnderCurve()
    {
        if (_classes == 2) return AreaUnderCurve(1);
        var sum = 0.0;
        for (var c = 0; c < _classes; c++)
        {
            if (AreaUnderCurve(c) is not { } area) return null;
            sum += area;
        }

        return sum / _classes;
    }

    /// <summary>The share of pairs, one row of the class and one of another, whose order the scores tell right; a tie is half a pair.</summary>
    private double? AreaUnderCurve(int c)
    {
        float[] scores = [.. _scores[c]];
        bool[] isOfClass = [.. _labels.Select(label => label == c)];
        Array.Sort(scores, isOfClass);
        double below = 0, pairs = 0, positives = isOfClass.Count(isIt => isIt), negatives = scores.Length - positives;
        if (positives == 0 || negatives == 0) return null;
        for (var start = 0; start < scores.Length;)
        {
            var (end, ofClass) = (start, 0);
            for (; end < scores.Length && scores[end] == scores[start]; end++) if (isOfClass[end]) ofClass++;
            var others = end - start - ofClass;
            pairs += ofClass * (below + others / 2.0);
            below += others;
            start = end;
        }

        return pairs / (positives * negatives);
    }
}
