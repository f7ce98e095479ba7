using System.Collections.Immutable;
using System.Runtime.InteropServices;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Predictions.EarlyExit;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Evaluation;

/// <summary>Measures an ensemble whose rows ask no more members than they need, from the answers of all.</summary>
internal sealed class EarlyExitEvaluation
{
    /// <summary>The probabilities of another prediction that every evaluation measures.</summary>
    private static readonly double[] s_probabilities = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1];

    private readonly LearningTask _task;
    private readonly ConstituentSelection _selection;
    private readonly IMeasurement _quality;
    private long _rows, _members, _changed;

    private EarlyExitEvaluation(LearningTask task, ConstituentSelection selection) => (_task, _selection, _quality) = (task, selection, task.Quality());

    /// <summary>Of members whose answers are there, [rows, width] of each: fitted on the validation rows, measured on the test rows.</summary>
    public static IReadOnlyList<EarlyExitMeasures> Of(
        LearningTask task, IReadOnlyList<(double[] Validation, double[] Test)> members, float[] validation, float[] test)
    {
        ImmutableArray<WeightFile> files = [.. members.Select((_, member) => new WeightFile(member, 0, "", ""))];
        var exits = ExitFit.Of(task, [.. files.Zip(members, (file, member) => (file, 1, member.Validation))], validation);
        var answers = new ConstituentAnswers([.. members.Select(member => ImmutableCollectionsMarshal.AsImmutableArray(member.Test))]);
        var all = AnswerRows.Of(answers, [.. members.Select(_ => 1)]).Mean;
        return [.. s_probabilities.Select(exits.Rule).OfType<ExitRule>().Select(rule =>
        {
            var evaluation = new EarlyExitEvaluation(task, new ConstituentSelection(files, [.. files.Select(_ => 1)], 0, null) { Exit = rule });
            evaluation.Add(answers, all, test);
            return evaluation.Result();
        })];
    }

    /// <summary>One for each probability that the validation rows can promise, and for that of the selection; none for a single member.</summary>
    internal static EarlyExitEvaluation[] Of(LearningTask task, ConstituentSelection selection) => selection.Fit?.Exits is not { Order.Length: > 1 } exits
        ? []
        : [.. s_probabilities.Concat(selection.Exit is { } own ? [own.Probability] : []).Distinct().Order().Select(exits.Rule).OfType<ExitRule>()
            .Select(rule => new EarlyExitEvaluation(task, selection with { Exit = rule }))];

    /// <param name="answers">Of all models.</param>
    /// <param name="ofAll">Their mean, [rows, width].</param>
    internal void Add(ConstituentAnswers answers, double[] ofAll, ReadOnlySpan<float> targets)
    {
        var width = _task.Width;
        var exits = new RowExits(_task, _selection, targets.Length);
        while (!exits.Rows.IsEmpty) exits.Add([.. exits.Places.Select(place => Of(answers.Values[place], exits.Rows, width))]);
        var mean = exits.Mean();
        _quality.Add(AnswerRows.Of(mean), targets);
        _rows += targets.Length;
        _members += exits.Members.Sum();
        for (var row = 0; row < targets.Length; row++)
            if (_task.IsOther(mean.AsSpan(row * width, width), ofAll.AsSpan(row * width, width))) _changed++;
    }

    internal EarlyExitMeasures Result() => new(_selection.Exit!.Probability, (double)_members / _rows, (double)_changed / _rows, _quality.Result());

    private static ImmutableArray<double> Of(ImmutableArray<double> answers, ImmutableArray<int> rows, int width)
    {
        var some = ImmutableArray.CreateBuilder<double>(rows.Length * width);
        foreach (var row in rows) some.AddRange(answers.AsSpan(row * width, width));
        return some.MoveToImmutable();
    }
}
