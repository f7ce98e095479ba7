using DistributedEnsemble.Messages;

namespace DistributedEnsemble.Training.Tables;

/// <summary>
/// Looks in the first training rows for columns that give the target away: each value of one stands beside the same target always,
/// or its numbers rise with the target's, or fall, from each to the next. Such a column is often the target in other words, and unknown
/// when somebody wants to predict.
/// </summary>
internal sealed class LeakSearch(IReadOnlyList<string> columns, int target)
{
    private const int MostRows = 2000, FewestNumbers = 20, RowsPerValue = 4;

    private readonly Dictionary<string, int> _targets = new(StringComparer.Ordinal);
    private readonly Candidate[] _candidates = [.. columns.Select(_ => new Candidate())];
    private int _rows;
    private char[] _text = new char[64];

    /// <summary>Looks at the row that was read, a training row with a target.</summary>
    public void Add(ITableRows rows)
    {
        if (_rows == MostRows) return;
        _rows++;
        var text = Text(rows[target]);
        _targets[text] = _targets.GetValueOrDefault(text) + 1;
        double? number = TryNumber(rows[target], out var read) ? read : null;
        foreach (var (place, candidate) in _candidates.Index())
        {
            if (place == target) continue;
            if (candidate.Targets is not null) candidate.AddValue(Text(rows[place]), text);
            if (candidate.Pairs is not null) candidate.AddNumber(rows[place], number);
        }
    }

    /// <param name="encoders">Of all columns but the target, in their order.</param>
    public IEnumerable<string> Notes(IReadOnlyList<ColumnEncoder> encoders)
    {
        // Where a few rows alone have another target, many a sparse column stands beside these by chance.
        if (_rows - _targets.Values.DefaultIfEmpty().Max() < RowsPerValue) yield break;
        foreach (var encoder in encoders.Where(encoder => encoder.Inputs > 0))
        {
            var candidate = _candidates[columns.Index().First(column => column.Item == encoder.Name && column.Index != target).Index];
            if (candidate.TellsByValue(_rows) || candidate.TellsByOrder())
                yield return $"The column {OneLine.Quoted(encoder.Name)} tells the target in each of the first {_rows:N0} training rows. If it is not known before the target is, leave it out (data.ignore).";
        }
    }

    /// <summary>With a unit or without: a column that becomes an input has the same in every cell.</summary>
    private static bool TryNumber(Cell cell, out double number) => cell.TryNumber(out number) || cell.TrySplit(out number, out _);

    private string Text(Cell cell) => cell.IsMissing ? "" : cell.Text(ref _text).ToString();

    private sealed class Candidate
    {
        /// <summary>The target beside each value; null once there was another, or when there are too many values to say so.</summary>
        public Dictionary<string, string>? Targets { get; private set; } = new(StringComparer.Ordinal);

        /// <summary>Numbers and those of the target; null once one was none.</summary>
        public List<(double Number, double Target)>? Pairs { get; private set; } = [];

        public void AddValue(string value, string target)
        {
            if (!Targets!.TryAdd(value, target) && Targets[value] != target || Targets.Count > MostRows / RowsPerValue) Targets = null;
        }

        public void AddNumber(Cell cell, double? target)
        {
            if (cell.IsMissing) return;
            if (target is { } other && TryNumber(cell, out var number)) Pairs!.Add((number, other));
            else Pairs = null;
        }

        public bool TellsByValue(int rows) => Targets is not null && RowsPerValue * Targets.Count <= rows && Targets.Values.Distinct().Skip(1).Any();

        public bool TellsByOrder()
        {
            if (Pairs is null || Pairs.Select(pair => pair.Number).Distinct().Count() < FewestNumbers || Pairs.Select(pair => pair.Target).Distinct().Count() < FewestNumbers) return false;
            return Rises(Pairs) || Rises(Pairs.Select(pair => (-pair.Number, pair.Target)));
        }

        private static bool Rises(IEnumerable<(double Number, double Target)> pairs)
        {
            var targets = pairs.Order().Select(pair => pair.Target).ToArray();
            return targets.Zip(targets.Skip(1)).All(pair => pair.First <= pair.Second);
        }
    }
}
