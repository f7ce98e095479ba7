using System.Numerics.Tensors;
using DistributedEnsemble.Predictions;

namespace DistributedEnsemble.Training.Tasks;

/// <summary>How different models are, pair by pair, from the class that each names for each row.</summary>
internal sealed class ClassDiversity : IDiversity
{
    private readonly ushort[][] _named;
    private readonly int[][] _isWrong;

    private readonly Classification _task;

    public ClassDiversity(Classification task, int models, int rows)
    {
        _task = task;
        _named = [.. Enumerable.Range(0, models).Select(_ => new ushort[rows])];
        _isWrong = [.. Enumerable.Range(0, models).Select(_ => new int[rows])];
    }

    /// <inheritdoc/>
    public void Add(int model, int start, ReadOnlySpan<double> answers, ReadOnlySpan<float> targets)
    {
        for (var row = 0; row < targets.Length; row++)
        {
            var named = TensorPrimitives.IndexOfMax(answers.Slice(row * _task.Width, _task.Outputs));
            _named[model][start + row] = (ushort)named;
            _isWrong[model][start + row] = named != (int)targets[row] ? 1 : 0;
        }
    }

    /// <summary>The share of rows for which the two name different classes (Fort et al., "Deep ensembles", 2019, section 4).</summary>
    public double Disagreement(int model, int other) =>
        (double)TensorPrimitives.HammingDistance<ushort>(_named[model], _named[other]) / _named[model].Length;

    /// <summary>
    /// Pearson's correlation of "is wrong" over the rows: ρ of Kuncheva and Whitaker, "Measures of diversity", 2003, section 3.1.
    /// Null if one of the two is always or never wrong.
    /// </summary>
    public double? ErrorCorrelation(int model, int other)
    {
        var rows = (double)_isWrong[model].Length;
        var (first, second) = (TensorPrimitives.Sum<int>(_isWrong[model]), TensorPrimitives.Sum<int>(_isWrong[other]));
        var both = (first + second - TensorPrimitives.HammingDistance<int>(_isWrong[model], _isWrong[other])) / 2;
        var (p, q) = (first / rows, second / rows);
        var deviations = Math.Sqrt(p * (1 - p) * q * (1 - q));
        return deviations > 0 ? (both / rows - p * q) / deviations : null;
    }

    /// <summary>The means over all pairs; null if there is none.</summary>
    public Measures? Result()
    {
        var pairs = (from model in Enumerable.Range(0, _named.Length) from other in Enumerable.Range(0, model) select (model, other)).ToList();
        return pairs.Count == 0
            ? null
            : Measures.Of(
                ("disagreement", pairs.Average(pair => Disagreement(pair.model, pair.other))),
                ("errorCorrelation", pairs.Average(pair => ErrorCorrelation(pair.model, pair.other))));
    }
}
