namespace DistributedEnsemble.Training;

/// <summary>The rows of a labelled CSV table, split and checked by the rules for classification.</summary>
internal sealed class CsvRows
{
    internal const string LabelName = "label";
    private const int SplitPeriod = 5, TestPlace = 4;

    private readonly CsvTable _table;
    private readonly int _label;
    private readonly int[] _features;
    private readonly LabelTexts _labels = new();

    private CsvRows(CsvTable table)
    {
        _table = table;
        var columns = table.Columns.ToList();
        _label = columns.IndexOf(LabelName) is >= 0 and var named ? named : columns.Count - 1;
        LabelColumn = columns[_label];
        _features = [.. Enumerable.Range(0, columns.Count).Where(column => column != _label)];
        if (_features.Length == 0) throw table.Error($"column 1 ({Excerpt.Of(LabelColumn)}) is the only one; a label needs features beside it");
        Features = [.. _features.Select(column => columns[column])];
        Train = new SampleRows(_features.Length);
        Test = new SampleRows(_features.Length);
    }

    public string LabelColumn { get; }
    public IReadOnlyList<string> Features { get; }
    public SampleRows Train { get; }
    public SampleRows Test { get; }
    public IReadOnlyList<string> Classes { get; private set; } = [];

    /// <summary>Where each label that the rows hold lies among the classes.</summary>
    public IReadOnlyList<int> Order { get; private set; } = [];

    public static CsvRows Read(CsvTable table)
    {
        var rows = new CsvRows(table);
        for (var row = 0; table.Read(); row++) rows.Add(row);
        rows.CheckAndOrder();
        return rows;
    }

    private void Add(int row)
    {
        var rows = row % SplitPeriod == TestPlace ? Test : Train;
        var label = _labels.IndexOf(_table.Text(_label), _table.Line);
        if (_labels.Count > LabelTexts.Most)
            throw _table.Error(_label, $"this is the class number {LabelTexts.Most + 1:N0}; this looks like regression, and a label is one of at most {LabelTexts.Most:N0} classes");
        var cells = rows.Add(label);
        for (var i = 0; i < _features.Length; i++) cells[i] = _table.Number(_features[i]);
    }

    private void CheckAndOrder()
    {
        var count = Train.Count + Test.Count;
        var column = $"column {_label + 1} ({Excerpt.Of(LabelColumn)})";
        if (count < SplitPeriod) throw _table.Error($"{count} rows are too few; every fifth row is test, so that 5 are needed");
        if (_labels.Count < 2)
            throw _table.Error($"line {_labels.FirstLine(0)}, {column}: every row has the label {Excerpt.Of(_labels[0])}; there must be at least two classes");
        if (2L * _labels.Count >= count)
            throw _table.Error($"{column} has {_labels.Count:N0} classes in {count:N0} rows; this looks like regression, and a label must be a class of several rows");

        var trained = Train.Labels.ToHashSet();
        for (var label = 0; label < _labels.Count; label++)
        {
            if (!trained.Contains(label))
                throw _table.Error(
                    $"line {_labels.FirstLine(label)}, {column}: the class {Excerpt.Of(_labels[label])} is absent from the training rows; "
                    + "every fifth row is test, so put the rows into another order or add some of this class");
        }

        (Classes, Order) = _labels.Ordered();
    }
}
