using System.Collections;
using System.Collections.Concurrent;
using DistributedEnsemble.Randomness;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Randomness;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Members;

/// <summary>
/// Which training rows each member sees: all; or those of all folds but its own (Stone, 1974); or, with a bootstrap, as many of
/// them as there are, drawn with replacement (Breiman, 1996). A function of the seed, the data and the member.
/// </summary>
internal sealed class MemberRows
{
    private readonly ValidationSplit _split;
    private readonly DataSpec _spec;
    private readonly RandomSource _random;
    private readonly ConcurrentDictionary<int, Lazy<BitArray>> _unseen = [];

    /// <summary>The fold of each of the rows; null without folds.</summary>
    private readonly ushort[]? _folds;

    private readonly int[] _foldSizes = [];

    /// <exception cref="SpecException">There are more folds than rows.</exception>
    internal MemberRows(DataSpec spec, Samples samples, LearningTask task, ValidationSplit split, RandomSource random)
    {
        (_spec, _split, _random) = (spec, split, random);
        if (spec.Folds == 0) return;
        if (spec.Folds > split.TrainingCount)
            throw new SpecException($"data.folds is {spec.Folds}: there are {split.TrainingCount} training rows, and each fold takes one (take fewer folds).");
        (_folds, _foldSizes) = (Draw(spec.Folds, samples, task, split.Training, random), new int[spec.Folds]);
        foreach (var fold in _folds) _foldSizes[fold]++;
    }

    /// <summary>Rows of a member's epoch.</summary>
    public int CountOf(int member) => _split.TrainingCount - (_folds is null ? 0 : _foldSizes[member % _spec.Folds]);

    /// <summary>The rows that a member trains on, of the samples; one that was drawn twice is there twice.</summary>
    public int[] Of(int member)
    {
        if (!_spec.HasOutOfFold) return _split.Training;
        var rows = new int[CountOf(member)];
        List(member, rows);
        return rows;
    }

    /// <summary>Lists the same, for as many as <see cref="CountOf"/> says.</summary>
    public void List(int member, Span<int> rows)
    {
        if (!_spec.HasOutOfFold)
        {
            _split.List(rows);
            return;
        }

        ListPlaces(member, rows);
        foreach (ref var row in rows) row = _split.TrainingRow(row);
    }

    /// <summary>How many rows train.</summary>
    public int Count => _split.TrainingCount;

    /// <summary>Of each of the rows that train, whether a member does not train on it. Not to be changed.</summary>
    public BitArray UnseenBy(int member) => _unseen.GetOrAdd(
        _spec.Bootstrap || _spec.Folds == 0 ? member : member % _spec.Folds, _ => new Lazy<BitArray>(() => Unseen(member))).Value;

    private BitArray Unseen(int member)
    {
        var unseen = new BitArray(_split.TrainingCount, true);
        var places = new int[CountOf(member)];
        ListPlaces(member, places);
        foreach (var place in places) unseen[place] = false;
        return unseen;
    }

    /// <summary>The same for places among the rows that train.</summary>
    private void ListPlaces(int member, Span<int> places)
    {
        if (_spec.Bootstrap) _random.Below(new Draw(Purpose.Bootstrap, member, 0, 0), places.Length, places);
        if (_folds is null) return;
        var others = _spec.Bootstrap ? new int[places.Length] : places;
        for (int place = 0, i = 0; place < _folds.Length; place++)
        {
            if (_folds[place] != member % _spec.Folds) others[i++] = place;
        }

        if (!_spec.Bootstrap) return;
        foreach (ref var place in places) place = others[place];
    }

    /// <summary>Rows of each stratum in a random order are dealt to the folds in turn, where the stratum before stopped.</summary>
    private static ushort[] Draw(int folds, Samples samples, LearningTask task, int[] rows, RandomSource random)
    {
        var dealt = new ushort[rows.Length];
        var next = 0;
        foreach (var stratum in Enumerable.Range(0, rows.Length).GroupBy(place => task.Stratum(samples.Targets[rows[place]])).OrderBy(group => group.Key))
        {
            int[] places = [.. stratum];
            random.Shuffle(new Draw(Purpose.Folds, 0, 0, (uint)stratum.Key), places);
            foreach (var place in places) dealt[place] = (ushort)(next++ % folds);
        }

        return dealt;
    }
}
