using System.Collections.Immutable;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Evaluation;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Grains.Predictions;

/// <summary>
/// Measures ensembles of growing size on rows that did not train them while a run trains. What a model answered is kept, so that
/// only new weights are asked.
/// </summary>
internal sealed class ValidationScores(ServedRun served) : IDisposable
{
    /// <summary>Of answers that are kept: of more members, those that fit are measured.</summary>
    private const long MostBytes = 128L << 20;

    /// <summary>Sizes that are measured, at most.</summary>
    private const int MostSizes = 40;

    /// <summary>
    /// A mixture's CRPS compares each member with each other: of more members than these for each row together, those that fit are
    /// measured, and in any case the first few.
    /// </summary>
    private const long MostPairs = 30_000_000, FewMembers = 10;

    private readonly SemaphoreSlim _one = new(1);
    private readonly Dictionary<int, (WeightFile File, double[] Answers)> _kept = [];
    private (string Models, EnsembleScores Scores)? _last;

    /// <returns>Null without such rows or weights.</returns>
    /// <exception cref="OperationCanceledException">Nobody waits for them any more.</exception>
    public async Task<EnsembleScores?> OfAsync(CancellationToken cancellation)
    {
        await _one.WaitAsync(cancellation);
        try
        {
            var latest = served.Status.Snapshots.GroupBy(file => file.Member).Select(files => Latest(files, served.Status.Members[files.Key]))
                .Where(file => served.Status.Members[file.Member].State != MemberState.Failed).OrderBy(file => file.Member).ToArray();
            if (latest.Length == 0 || served.Model.Spec.Data is { ValidationFraction: 0, HasOutOfFold: false }) return null;
            var models = string.Join(' ', latest.Select(file => file.Sha256));
            if (_last is { } last && last.Models == models) return last.Scores;
            var scores = await Task.Run(() => MeasureAsync(latest, cancellation), cancellation);
            _last = scores is null ? null : (models, scores);
            return scores;
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    /// <summary>A member that stopped early has snapshots that are later than its final model, and worse.</summary>
    private static WeightFile Latest(IEnumerable<WeightFile> files, MemberStatus member) =>
        files.FirstOrDefault(file => file.Step == member.FinalStep) ?? files.MaxBy(file => file.Step)!;

    private async Task<EnsembleScores?> MeasureAsync(WeightFile[] latest, CancellationToken cancellation)
    {
        using var use = served.TakePlan();
        var plan = use.Plan;
        if (plan.Measuring is not { } part || plan.Targets(part) is not { Length: > 0 } targets) return null;
        var width = plan.Task.Width;
        latest = [.. latest.Take(MostMembers(plan.Task, targets.Length))];
        await AskAsync(plan, part, [.. latest.Where(file => _kept.GetValueOrDefault(file.Member).File != file)], targets.Length, cancellation);
        double[][] answers = [.. latest.Select(file => _kept[file.Member].Answers)];
        var (rows, first) = part == DataPart.OutOfFold ? RowsOfSome(answers, width) : ([.. Enumerable.Range(0, targets.Length)], 1);
        if (rows.Length == 0) return null;
        var (mean, sizes) = (new PartialAnswerMean(rows.Length, width), Sizes(latest.Length));
        float[] truth = [.. rows.Select(row => targets[row])];
        if (rows.Length < targets.Length) answers = [.. answers.Select(one => MeasuredAnswers.Kept(one, rows, width))];
        var (models, once) = (answers.Select(one => (ReadOnlyMemory<double>)one).ToArray(), answers.Select(_ => 1).ToArray());
        var scores = ImmutableArray.CreateBuilder<SizeScore>();
        foreach (var (i, one) in answers.Index())
        {
            mean.Add(one);
            if (i + 1 >= first && (i + 1 == first || sizes.Contains(i + 1)))
                scores.Add(new SizeScore(i + 1, Measure(plan.Task, new AnswerRows(models[..(i + 1)], once[..(i + 1)], mean.ToArray()), truth)));
        }

        return new EnsembleScores(rows.Length, scores.ToImmutable(), part == DataPart.OutOfFold);
    }

    private static int MostMembers(LearningTask task, int rows)
    {
        var fit = Math.Max(1, MostBytes / ((long)rows * task.Width * sizeof(double)));
        return (int)(task.Kind == TaskKind.Regression ? Math.Min(fit, Math.Max(FewMembers, (long)Math.Sqrt(MostPairs / rows))) : Math.Min(fit, int.MaxValue));
    }

    /// <summary>
    /// Sizes are compared on the same rows: those that the first members answer which answer half of all that any does. Fewer members
    /// are not measured.
    /// </summary>
    private static (int[] Rows, int First) RowsOfSome(double[][] answers, int width)
    {
        var places = answers[0].Length / width;
        int[] answered = [.. Enumerable.Range(0, places).Select(row => Array.FindIndex(answers, one => !double.IsNaN(one[row * width])))];
        var known = answered.Count(first => first >= 0);
        var most = Enumerable.Range(0, answers.Length).First(last => 2 * answered.Count(first => first >= 0 && first <= last) >= known);
        return ([.. Enumerable.Range(0, places).Where(row => answered[row] >= 0 && answered[row] <= most)], most + 1);
    }

    private async Task AskAsync(TrainingPlan plan, DataPart part, ImmutableArray<WeightFile> files, int rows, CancellationToken cancellation)
    {
        var answers = files.Select(_ => AnswerArray.New(rows, plan.Task.Width)).ToArray();
        var (chosen, models) = (new ChosenConstituents(files, 0, IsGreedy: false), served.Constituents(cancellation));
        foreach (var range in files.IsEmpty ? [] : RowRange.Of(plan, part))
        {
            var found = await MeasuredAnswers.AskAsync(plan, chosen, models, range);
            for (var i = 0; i < answers.Length; i++) found[i].CopyTo(answers[i], range.Start * plan.Task.Width);
        }

        foreach (var (i, file) in files.Index()) _kept[file.Member] = (file, answers[i]);
    }

    private static Measures Measure(LearningTask task, AnswerRows rows, float[] targets)
    {
        var measurement = (task.NeedsFit ? task.Fitted(task.Fit(rows, targets)) : task).Quality();
        measurement.Add(rows, targets);
        return measurement.Result();
    }

    /// <summary>All small sizes, and of large ones those that a picture tells apart.</summary>
    private static HashSet<int> Sizes(int most) =>
        [.. Enumerable.Range(1, Math.Min(most, MostSizes)).Select(i => most <= MostSizes ? i : (int)Math.Round(Math.Pow(most, (i - 1.0) / (MostSizes - 1)))), most];
}
