using System.Collections.Immutable;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Grains.Predictions;

/// <summary>
/// Measures ensembles of growing size on the validation split while a run trains. What a model answered is kept, so that only
/// new weights are asked.
/// </summary>
internal sealed class ValidationScores(ServedRun served) : IDisposable
{
    /// <summary>Of answers that are kept: of more members, those that fit are measured.</summary>
    private const long MostBytes = 128L << 20;

    /// <summary>Sizes that are measured, at most.</summary>
    private const int MostSizes = 40;

    private readonly SemaphoreSlim _one = new(1);
    private readonly Dictionary<int, (WeightFile File, double[] Answers)> _kept = [];
    private (string Models, EnsembleScores Scores)? _last;

    /// <returns>Null without validation rows or weights.</returns>
    public async Task<EnsembleScores?> OfAsync()
    {
        await _one.WaitAsync();
        try
        {
            var latest = served.Status.Snapshots.GroupBy(file => file.Member).Select(files => files.MaxBy(file => file.Step)!)
                .Where(file => served.Status.Members[file.Member].State != MemberState.Failed).OrderBy(file => file.Member).ToArray();
            if (latest.Length == 0 || served.Model.Spec.Data.ValidationFraction == 0) return null;
            var models = string.Join(' ', latest.Select(file => file.Sha256));
            if (_last is { } last && last.Models == models) return last.Scores;
            var scores = await Task.Run(() => MeasureAsync(latest));
            _last = scores is null ? null : (models, scores);
            return scores;
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private async Task<EnsembleScores?> MeasureAsync(WeightFile[] latest)
    {
        using var use = served.TakePlan();
        var plan = use.Plan;
        var targets = plan.Samples(DataPart.Validation).Targets;
        if (targets.Length == 0) return null;
        var bytes = (long)targets.Length * plan.Task.Width * sizeof(double);
        latest = [.. latest.Take((int)Math.Max(1, MostBytes / bytes))];
        await AskAsync(plan, [.. latest.Where(file => _kept.GetValueOrDefault(file.Member).File != file)], targets.Length);
        var (mean, sizes) = (new AnswerMean(), Sizes(latest.Length));
        var scores = ImmutableArray.CreateBuilder<SizeScore>();
        foreach (var file in latest)
        {
            mean.Add(_kept[file.Member].Answers);
            if (sizes.Contains(mean.Count)) scores.Add(new SizeScore(mean.Count, Measure(plan.Task, mean, targets)));
        }

        return new EnsembleScores(targets.Length, scores.ToImmutable());
    }

    private async Task AskAsync(TrainingPlan plan, ImmutableArray<WeightFile> files, int rows)
    {
        var answers = files.Select(_ => new double[rows * plan.Task.Width]).ToArray();
        foreach (var range in files.IsEmpty ? [] : RowRange.Of(plan, DataPart.Validation))
        {
            var part = await served.Constituents().PredictAsync(files, 0, range);
            for (var i = 0; i < answers.Length; i++) part.Values[i].CopyTo(answers[i], range.Start * plan.Task.Width);
        }

        foreach (var (file, i) in files.Select((file, i) => (file, i))) _kept[file.Member] = (file, answers[i]);
    }

    private static Measures Measure(LearningTask task, AnswerMean mean, float[] targets)
    {
        var rows = AnswerRows.Of(mean.ToArray());
        var measurement = (task.NeedsFit ? task.Fitted(task.Fit(rows, targets)) : task).Quality();
        measurement.Add(rows, targets);
        return measurement.Result();
    }

    /// <summary>All small sizes, and of large ones those that a picture tells apart.</summary>
    private static HashSet<int> Sizes(int most) =>
        [.. Enumerable.Range(1, Math.Min(most, MostSizes)).Select(i => most <= MostSizes ? i : (int)Math.Round(Math.Pow(most, (i - 1.0) / (MostSizes - 1)))), most];
}
