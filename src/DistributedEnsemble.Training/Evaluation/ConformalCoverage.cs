using DistributedEnsemble.Predictions;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Evaluation;

/// <summary>Counts the test rows whose targets lie within the sets or intervals that the validation split says.</summary>
internal sealed class ConformalCoverage
{
    private readonly LearningTask _task;
    private readonly double _coverage, _threshold;
    private double _size;
    private long _rows, _covered;

    private ConformalCoverage(LearningTask task, double coverage, double threshold) => (_task, _coverage, _threshold) = (task, coverage, threshold);

    /// <exception cref="SpecException">There are no validation rows, or too few.</exception>
    public static ConformalCoverage Of(LearningTask task, ValidationFit? fit, double coverage) => fit?.Conformal is { } scores
        ? new ConformalCoverage(task, coverage, scores.Threshold(coverage))
        : throw new SpecException($"coverage is {coverage}: conformal prediction takes validation rows, and this run kept none "
            + "(data.validationFraction). Evaluate without it.");

    /// <param name="mean">[rows, width].</param>
    public void Add(ReadOnlySpan<double> mean, ReadOnlySpan<float> targets)
    {
        _covered += _task.Strangeness(mean, targets).Count(strangeness => strangeness <= _threshold);
        _size += targets.Length * _task.MeanSize(mean, _threshold);
        _rows += targets.Length;
    }

    public ConformalMetrics Result() => new(_coverage, (double)_covered / _rows, _size / _rows);
}
