using System.Collections.Immutable;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Predictions.EarlyExit;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Grains.Predictions;

/// <summary>What the selected models say of a batch. A member counts with all of its constituents or not at all.</summary>
internal sealed class BatchAnswer : IBatchAnswer
{
    private readonly LearningTask _task;
    private readonly ConstituentSelection _selection;
    private readonly ConstituentAnswers _answers;
    private readonly List<IGrouping<int, int>> _members;
    private readonly ImmutableArray<int> _used;
    private readonly int _constituents;
    private readonly double[] _mean = [];
    private readonly ImmutableArray<int> _rowMembers = [];

    /// <param name="answers">Of each constituent in the order of the selection; empty where there is none.</param>
    public BatchAnswer(RunModel model, ConstituentSelection selection, ConstituentAnswers answers)
        : this(model, selection, answers, place => !answers.Values[place].IsDefaultOrEmpty)
    {
        if (_members.Count > 0) _mean = Mean(_members.SelectMany(places => places));
    }

    /// <summary>Of rows that each were asked of as many members as they need.</summary>
    public BatchAnswer(RunModel model, ConstituentSelection selection, RowExits exits) : this(model, selection, new ConstituentAnswers([]), exits.HasAnswered) =>
        (_mean, _rowMembers) = (exits.Mean(), exits.Members);

    private BatchAnswer(RunModel model, ConstituentSelection selection, ConstituentAnswers answers, Func<int, bool> hasAnswered)
    {
        (_selection, _answers) = (selection, answers);
        _task = model.Task.FittedBy(selection.Fit);
        _members = [.. Enumerable.Range(0, selection.Constituents.Length).GroupBy(place => selection.Constituents[place].Member).Where(places => places.All(hasAnswered))];
        (_used, _constituents) = ([.. _members.Select(places => places.Key)], _members.Sum(places => places.Count()));
    }

    /// <summary>Members that answered.</summary>
    public int Members => _members.Count;

    /// <inheritdoc/>
    public Prediction Part(int first, BatchRequest request)
    {
        var part = (first * _task.Width)..((first + request.Count) * _task.Width);
        var mean = _mean[part];
        if (Array.FindIndex(mean, double.IsNaN) is >= 0 and var place)
        {
            throw new RunRejectedException(
                $"The model's answer to row {place / _task.Width} is not a number: the row's numbers are too large for this run's data.");
        }

        return new Prediction(request.Count, [.. _task.Predict(mean, request.Prediction.Calibrated, request.Prediction.Coverage)], _constituents)
        {
            MembersUsed = _used,
            RowMembers = _rowMembers.IsEmpty ? [] : _rowMembers.Slice(first, request.Count),
            Members = request.Prediction.PerMember ? [.. _members.Select(places => Member([.. places], part))] : [],
        };
    }

    private MemberPrediction Member(int[] places, Range part)
    {
        var outputs = _task.Predict(Mean(places)[part]);
        var weight = (double)Multiplicity(places) / Multiplicity(_members.SelectMany(all => all));
        return new MemberPrediction(weight, [.. _task.MemberPredictions.Select(one => outputs.First(output => output.Name == one.Name))]);
    }

    private int Multiplicity(IEnumerable<int> places) => places.Sum(place => _selection.Multiplicities[place]);

    private double[] Mean(IEnumerable<int> places)
    {
        var mean = new AnswerMean();
        foreach (var place in places) mean.Add(_answers.Values[place].AsSpan(), _selection.Multiplicities[place]);
        return mean.ToArray();
    }
}
