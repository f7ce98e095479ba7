using System.Collections.Immutable;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Predictions.EarlyExit;

/// <summary>
/// Rows that are asked of one member after the other until they are content: says whom to ask next for which rows, and takes the
/// answers. A row's fate does not depend on its company, and one that all members answered has the bits of their average.
/// </summary>
internal sealed class RowExits
{
    private readonly LearningTask _task;
    private readonly ConstituentSelection _selection;
    private readonly ExitRule _rule;
    private readonly double[]?[] _answers;
    private readonly double[] _sums;
    private readonly int[] _weights, _members, _asked;
    private int _next;

    /// <param name="task">Fitted, if it needs to be.</param>
    /// <param name="selection">With a rule.</param>
    public RowExits(LearningTask task, ConstituentSelection selection, int rows)
    {
        (_task, _selection, _rule) = (task, selection, selection.Exit ?? throw new ArgumentException("The selection has no rule.", nameof(selection)));
        (_answers, _sums) = (new double[]?[selection.Constituents.Length], new double[rows * task.Width]);
        (_weights, _members, _asked) = (new int[rows], new int[rows], new int[rows]);
        Rows = [.. Enumerable.Range(0, rows)];
        Places = PlacesOf(_next);
    }

    /// <summary>The rows that are asked next; empty when all are content.</summary>
    public ImmutableArray<int> Rows { get; private set; }

    /// <summary>Whom they are asked of: a member's models, by their places in the selection; none when all are content.</summary>
    public ImmutableArray<int> Places { get; private set; }

    /// <summary>Members that were asked of any row, and those of them that answered.</summary>
    public (int Asked, int Answered) Turns { get; private set; }

    /// <summary>How many members answered each row.</summary>
    public ImmutableArray<int> Members => [.. _members];

    /// <summary>Whether a model was asked and answered.</summary>
    public bool HasAnswered(int place) => _answers[place] is not null;

    /// <param name="answers">Of each of <see cref="Places"/> to <see cref="Rows"/>, [rows, width]; null if the member does not answer.</param>
    public void Add(IReadOnlyList<ImmutableArray<double>>? answers)
    {
        if (answers is not null) Add(Places, answers);
        Turns = (_next + 1, Turns.Answered + (answers is null ? 0 : 1));
        foreach (var row in Rows) _asked[row] = _next + 1;
        _next++;
        Rows = _next == _rule.Order.Length ? [] : [.. Rows.Where(row => !IsContent(row))];
        Places = Rows.IsEmpty ? [] : PlacesOf(_next);
    }

    /// <summary>The mean of what each row was answered, [rows, width]; not a number for one that nobody answered.</summary>
    public double[] Mean()
    {
        var (mean, weights, width) = (new double[_sums.Length], new int[_asked.Length], _task.Width);
        var turns = _rule.Order.Select((member, turn) => (member, turn)).ToDictionary(pair => pair.member, pair => pair.turn);
        for (var place = 0; place < _answers.Length; place++)
        {
            if (_answers[place] is not { } answers) continue;
            var (turn, multiplicity) = (turns[_selection.Constituents[place].Member], _selection.Multiplicities[place]);
            for (var row = 0; row < _asked.Length; row++)
            {
                if (turn >= _asked[row]) continue;
                weights[row] += multiplicity;
                for (var i = row * width; i < (row + 1) * width; i++) mean[i] += multiplicity == 1 ? answers[i] : answers[i] * multiplicity;
            }
        }

        for (var i = 0; i < mean.Length; i++) mean[i] /= weights[i / width];
        return mean;
    }

    private void Add(ImmutableArray<int> places, IReadOnlyList<ImmutableArray<double>> answers)
    {
        var width = _task.Width;
        foreach (var (place, answered) in places.Zip(answers))
        {
            var (all, multiplicity) = (_answers[place] = new double[_sums.Length], _selection.Multiplicities[place]);
            for (var i = 0; i < Rows.Length; i++)
            {
                var row = Rows[i];
                var answer = answered.AsSpan(i * width, width);
                answer.CopyTo(all.AsSpan(row * width));
                for (var j = 0; j < width; j++) _sums[(row * width) + j] += answer[j] * multiplicity;
                _weights[row] += multiplicity;
            }
        }

        foreach (var row in Rows) _members[row]++;
    }

    private bool IsContent(int row)
    {
        if (_members[row] == 0) return false;
        Span<double> mean = _task.Width <= 256 ? stackalloc double[_task.Width] : new double[_task.Width];
        for (var i = 0; i < mean.Length; i++) mean[i] = _sums[(row * mean.Length) + i] / _weights[row];
        return _task.Doubt(mean, _members[row], _rule.Order.Length) <= _rule.Doubt;
    }

    private ImmutableArray<int> PlacesOf(int turn) =>
        [.. Enumerable.Range(0, _selection.Constituents.Length).Where(place => _selection.Constituents[place].Member == _rule.Order[turn])];
}
