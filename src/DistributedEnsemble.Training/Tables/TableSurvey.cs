using DistributedEnsemble.Messages;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Randomness;

namespace DistributedEnsemble.Training.Tables;

/// <summary>What a table is: its columns by their training rows, its target and task, and the sizes of its splits.</summary>
internal sealed class TableSurvey
{
    private const int SplitPeriod = 5, TestPlace = 4, LeastRows = 20, MostFeatures = 100_000;

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
    public static TableSurvey Of(TableFile file, EnsembleSpec spec, bool hasTest)
    {
        var options = spec.Data;
        var format = file.Detect(options.Header);
        var columns = Checked(ReadColumns(file, format), file, format);
        var ignored = NamedColumns.All(columns, options.Ignore, "ignore", file.Name);
        var categorical = NamedColumns.All(columns, options.Categorical, "categorical", file.Name);
        if (columns.FirstOrDefault(column => ignored.Contains(column) && categorical.Contains(column)) is { } both)
            throw new DataException($"{file.Name}: the column {OneLine.Quoted(both)} is one of data.ignore and one of data.categorical. A column that is left out is of no kind: name it in one of them.");
        if (TargetColumn.Find(columns, options, file.Name) is not { } target)
        {
            var rows = Pass.Over(file, format, target: null, hasTest);
            if (rows.Rows < LeastRows) throw TooFew(file, rows.Rows, "row");
            target = Enumerable.Range(0, columns.Count).LastOrDefault(
                place => !ignored.Contains(columns[place]) && rows.Cells(place) >= LeastRows && ColumnKinds.Fit(columns[place], rows.Surveys[place], categorical.Contains(columns[place])).MayBeTarget, -1);
            if (target < 0) throw new DataException($"{file.Name} has no column that can be predicted: each is constant, a name of the row, text, of dates, or in fewer than {LeastRows} rows.");
        }

        if (ignored.Contains(columns[target])) throw new DataException($"{file.Name}: the target {OneLine.Quoted(columns[target])} is one of data.ignore. Choose another with data.target.");
        var leaks = new LeakSearch(columns, target);
        var pass = Pass.Over(file, format, target, hasTest, keepsTargets: options.HasOutOfFold, leaks: leaks);
        if (pass.WithTarget < LeastRows && (pass.WithTarget > 0 || pass.Rows == 0))
            throw TooFew(file, pass.WithTarget, pass.WithTarget == pass.Rows ? "row" : "row with a target");
        var all = TargetColumn.Fit(columns[target], pass.Surveys[target], options.Task, file.Name, pass.Words);
        int[] validation = options.ValidationFraction == 0 ? [] : Validation(file, format, target, hasTest, all, pass.Train, spec);
        // What the validation rows choose, they have no part in.
        var training = validation.Length == 0 ? pass : Pass.Over(file, format, target, hasTest, options.HasOutOfFold, validation);
        var fitted = all.FittedOn(training.Surveys[target], file.Name);
        ColumnEncoder[] encoders =
        [
            .. columns.Index().Where(column => column.Index != target).Select(column => ignored.Contains(column.Item)
                ? new IgnoredColumn { Name = column.Item, Note = "ignored" }
                : ColumnKinds.Fit(column.Item, pass.Surveys[column.Index], training.Surveys[column.Index], categorical.Contains(column.Item))),
        ];
        if (encoders.All(encoder => encoder.Inputs == 0))
            throw new DataException($"{file.Name} has no column to predict {OneLine.Quoted(columns[target])} from: {LeftOut(encoders)}.");
        return new TableSurvey(format, columns)
        {
            Surveys = pass.Surveys,
            TargetPlace = target,
            Target = fitted,
            Description = new TableDescription(format, encoders, pass.Rows - pass.WithTarget, [.. pass.Words.Notes, .. pass.Totals.Notes, .. fitted.Notes(pass.Surveys[target]), .. leaks.Notes(encoders)]),
            Rows = pass.Rows,
            TrainRows = pass.Train,
            TestRows = pass.WithTarget - pass.Train,
        };
    }

    /// <summary>The names of the columns, by the beginning of the file.</summary>
    /// <exception cref="DataException">It is no table.</exception>
    public static IReadOnlyList<string> ReadColumns(TableFile file, DataSpec options) => ReadColumns(file, file.Detect(options.Header));

    /// <summary>The columns by all rows of the file, whatever they are for.</summary>
    public static (TableFormat Format, IReadOnlyList<string> Columns, ColumnSurvey[] Surveys) AllRows(TableFile file, DataSpec options)
    {
        var format = file.Detect(options.Header);
        return (format, Checked(ReadColumns(file, format), file, format), Pass.Over(file, format, target: null, hasTest: true).Surveys);
    }

    private static DataException TooFew(TableFile file, long rows, string what) =>
        new($"{file.Name} has {rows} {(rows == 1 ? what : what.Replace("row", "rows", StringComparison.Ordinal))}: at least {LeastRows} are needed.");

    private static string LeftOut(ColumnEncoder[] encoders) => encoders.Length == 0
        ? "it is the only one"
        : string.Join("; ", encoders.Select(encoder => $"{OneLine.Quoted(encoder.Name)} is left out ({encoder.Note})"));

    /// <summary>Which of the rows that do not test are the validation split.</summary>
    private static int[] Validation(TableFile file, TableFormat format, int place, bool hasTest, TargetColumn target, long count, EnsembleSpec spec)
    {
        if (count > Array.MaxLength) return [];
        var task = target.Task;
        // In memory that is given back at once: of long tables each array counts.
        using var strata = task.Strata == 1 ? null : new NativeVector(count);
        if (strata is not null)
        {
            using var rows = file.Read(format);
            for (int row = 0, train = 0; rows.Read();)
            {
                if (rows[place].IsMissing || (!hasTest && IsTest(row++))) continue;
                strata.Span[train++] = task.Stratum(target.Read(rows[place], out _)!.Value);
            }
        }

        return ValidationSplit.Draw((int)count, task.Strata, row => strata is null ? 0 : (int)strata.Span[row], spec.Data.ValidationFraction, new RandomSource(spec.Seed)).Validation;
    }

    private static IReadOnlyList<string> ReadColumns(TableFile file, TableFormat format)
    {
        using var rows = file.Read(format);
        return rows.Columns;
    }

    /// <summary>A column is surveyed in much more memory than its cells take. What a run was begun with is read whatever its width.</summary>
    private static IReadOnlyList<string> Checked(IReadOnlyList<string> columns, TableFile file, TableFormat format) => columns.Count <= MostFeatures + 1 ? columns : throw new DataException(
        $"{file.Name} has {columns.Count:N0} columns: a table may have {MostFeatures:N0} beside its target. Leave some of them out of the file"
        + (format.IsParquet ? "." : ", or, if all rows stand in its first line, begin a line with each."));

    /// <summary>One reading of the file.</summary>
    private sealed record Pass(ColumnSurvey[] Surveys, long[] Tested, long Rows, long WithTarget, long Train, AbsentTargets Words, TotalsRow Totals)
    {
        /// <summary>How many rows have a column, whether they train or test; of a pass over rows of any target.</summary>
        public long Cells(int column) => Surveys[column].Present + Tested[column];

        /// <param name="target">Null takes every row for one with a target.</param>
        /// <param name="keepsTargets">Whether the survey of the target has all of its numbers.</param>
        /// <param name="leftOut">Ascending rows, of those that do not test, that are not looked at; null is none.</param>
        public static Pass Over(TableFile file, TableFormat format, int? target, bool hasTest, bool keepsTargets = false, int[]? leftOut = null, LeakSearch? leaks = null)
        {
            using var rows = file.Read(format);
            var surveys = Enumerable.Range(0, rows.Columns.Count).Select(place => new ColumnSurvey(keepsTargets && place == target)
            {
                IsUnnamed = format.Header && !rows.IsNamed(place),
            }).ToArray();
            var tested = new long[surveys.Length];
            var (row, withTarget, train, left, words, totals) = (0L, 0L, 0L, 0, new AbsentTargets(), new TotalsRow());
            for (; rows.Read(); row++)
            {
                var isWithout = target is { } place && rows[place].IsMissing;
                totals.Add(rows[0], counts: !isWithout);
                if (isWithout)
                {
                    words.Add(rows[target!.Value]);
                    continue;
                }

                if (!hasTest && IsTest(withTarget++))
                {
                    for (var column = 0; target is null && column < tested.Length; column++) if (!rows[column].IsMissing) tested[column]++;
                    continue;
                }

                var isLeftOut = left < leftOut?.Length && leftOut[left] == train;
                train++;
                if (isLeftOut)
                {
                    left++;
                    continue;
                }

                leaks?.Add(rows);
                for (var column = 0; column < surveys.Length; column++) surveys[column].Add(rows[column], row);
            }

            return new Pass(surveys, tested, row, hasTest ? train : withTarget, train, words, totals);
        }
    }
}
