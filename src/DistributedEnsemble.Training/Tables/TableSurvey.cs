using DistributedEnsemble.Messages;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;

namespace DistributedEnsemble.Training.Tables;

/// <summary>What a table is: its columns by their training rows, its target and task, and the sizes of its splits.</summary>
internal sealed class TableSurvey
{
    private const int SplitPeriod = 5, TestPlace = 4, LeastRows = 20;

    private TableSurvey(TableFormat format, IReadOnlyList<string> columns) => (Format, Columns) = (format, columns);

    public TableFormat Format { get; }
    public IReadOnlyList<string> Columns { get; }

    /// <summary>Of each column, over the training rows.</summary>
    public IReadOnlyList<ColumnSurvey> Surveys { get; private init; } = [];

    /// <summary>The target's place.</summary>
    public int TargetPlace { get; private init; }
    public required TargetColumn Target { get; init; }

    /// <summary>All columns but the target.</summary>
    public required TableDescription Description { get; init; }

    /// <summary>All rows of the file.</summary>
    public long Rows { get; private init; }

    /// <summary>Rows with a target that train, and those that test.</summary>
    public long TrainRows { get; private init; }
    public long TestRows { get; private init; }

    /// <summary>Whether a row tests, counted over the rows with a target.</summary>
    public static bool IsTest(long row) => row % SplitPeriod == TestPlace;

    /// <param name="hasTest">Whether a table of its own tests, and all rows train.</param>
    /// <exception cref="DataException">The table cannot be learned from.</exception>
    public static TableSurvey Of(TableFile file, DataSpec options, bool hasTest)
    {
        var format = file.Detect(options.Header);
        var columns = ReadColumns(file, format);
        var ignored = NamedColumns.All(columns, options.Ignore, "ignore", file.Name);
        var categorical = NamedColumns.All(columns, options.Categorical, "categorical", file.Name);
        if (columns.FirstOrDefault(column => ignored.Contains(column) && categorical.Contains(column)) is { } both)
            throw new DataException($"{file.Name}: the column {OneLine.Quoted(both)} is one of data.ignore and one of data.categorical. A column that is left out is of no kind: name it in one of them.");
        if (TargetColumn.Find(columns, options, file.Name) is not { } target)
        {
            var all = Pass.Over(file, format, target: null, hasTest);
            if (all.Rows < LeastRows) throw TooFew(file, all.Rows, "row");
            target = Enumerable.Range(0, columns.Count).LastOrDefault(
                place => !ignored.Contains(columns[place]) && IsOfUse(columns[place], all.Surveys[place], categorical), -1);
            if (target < 0) throw new DataException($"{file.Name} has no column that can be predicted: each is constant, a name of the row, or text.");
        }

        if (ignored.Contains(columns[target])) throw new DataException($"{file.Name}: the target {OneLine.Quoted(columns[target])} is one of data.ignore. Choose another with data.target.");
        var pass = Pass.Over(file, format, target, hasTest, keepsTargets: options.HasOutOfFold);
        if (pass.WithTarget < LeastRows && (pass.WithTarget > 0 || pass.Rows == 0))
            throw TooFew(file, pass.WithTarget, pass.WithTarget == pass.Rows ? "row" : "row with a target");
        var fitted = TargetColumn.Fit(columns[target], pass.Surveys[target], options.Task, file.Name);
        ColumnEncoder[] encoders =
        [
            .. columns.Index().Where(column => column.Index != target).Select(column => ignored.Contains(column.Item)
                ? new IgnoredColumn { Name = column.Item, Note = "ignored" }
                : ColumnKinds.Fit(column.Item, pass.Surveys[column.Index], categorical.Contains(column.Item))),
        ];
        if (encoders.All(encoder => encoder.Inputs == 0))
            throw new DataException($"{file.Name} has no column to predict {OneLine.Quoted(columns[target])} from: {LeftOut(encoders)}.");
        return new TableSurvey(format, columns)
        {
            Surveys = pass.Surveys,
            TargetPlace = target,
            Target = fitted,
            Description = new TableDescription(format, encoders, pass.Rows - pass.WithTarget, [.. fitted.Notes(pass.Surveys[target])]),
            Rows = pass.Rows,
            TrainRows = pass.Train,
            TestRows = pass.WithTarget - pass.Train,
        };
    }

    /// <summary>The columns by all rows of the file, whatever they are for.</summary>
    public static (TableFormat Format, IReadOnlyList<string> Columns, ColumnSurvey[] Surveys) AllRows(TableFile file, DataSpec options)
    {
        var format = file.Detect(options.Header);
        return (format, ReadColumns(file, format), Pass.Over(file, format, target: null, hasTest: true).Surveys);
    }

    private static DataException TooFew(TableFile file, long rows, string what) =>
        new($"{file.Name} has {rows} {(rows == 1 ? what : what.Replace("row", "rows", StringComparison.Ordinal))}: at least {LeastRows} are needed.");

    private static string LeftOut(ColumnEncoder[] encoders) => encoders.Length == 0
        ? "it is the only one"
        : string.Join("; ", encoders.Select(encoder => $"{OneLine.Quoted(encoder.Name)} is left out ({encoder.Note})"));

    private static IReadOnlyList<string> ReadColumns(TableFile file, TableFormat format)
    {
        using var rows = file.Read(format);
        return rows.Columns;
    }

    private static bool IsOfUse(string name, ColumnSurvey survey, HashSet<string> categorical) =>
        survey.Present > 0 && ColumnKinds.Fit(name, survey, categorical.Contains(name)) is NumberColumn or CategoryColumn;

    /// <summary>One reading of the file.</summary>
    private sealed record Pass(ColumnSurvey[] Surveys, long Rows, long WithTarget, long Train)
    {
        /// <param name="target">Null takes every row for one with a target.</param>
        /// <param name="keepsTargets">Whether the survey of the target has all of its numbers.</param>
        public static Pass Over(TableFile file, TableFormat format, int? target, bool hasTest, bool keepsTargets = false)
        {
            using var rows = file.Read(format);
            var surveys = Enumerable.Range(0, rows.Columns.Count).Select(place => new ColumnSurvey(keepsTargets && place == target)).ToArray();
            var (row, withTarget, train) = (0L, 0L, 0L);
            for (; rows.Read(); row++)
            {
                if (target is { } place && rows[place].IsMissing) continue;
                if (!hasTest && IsTest(withTarget++)) continue;
                train++;
                for (var column = 0; column < surveys.Length; column++) surveys[column].Add(rows[column], row);
            }

            return new Pass(surveys, row, hasTest ? train : withTarget, train);
        }
    }
}
