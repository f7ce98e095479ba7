using System.Collections.Frozen;
using System.Text;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tables;

/// <summary>The column that is predicted: which it is, which task it asks for, and what its cells are as targets.</summary>
internal sealed class TargetColumn
{
    private const int MostClasses = 1000, MostNumbers = 20, FewestOfNumber = 5;
    private const double NearlyConstant = 0.99;
    private static readonly string[] s_names = ["target", "label", "class"];

    private readonly FrozenDictionary<string, int> _places;
    private char[] _text = new char[64];

    private TargetColumn(string name, LearningTask task)
    {
        (Name, Task) = (name, task);
        _places = Spellings.Places((task as Classification)?.Classes ?? []).ToFrozenDictionary();
    }

    public string Name { get; }
    public LearningTask Task { get; }

    /// <summary>The place of the column that is named, by somebody or by its name; null if its use has to decide.</summary>
    /// <exception cref="DataException">There is no such column.</exception>
    public static int? Find(IReadOnlyList<string> columns, DataSpec options, string file)
    {
        if (options.Target is { } target) return NamedColumns.Place(columns, target, "the target", file);
        return s_names.SelectMany(name => columns.Index().Where(column => column.Item.Equals(name, StringComparison.OrdinalIgnoreCase)))
            .Select(column => (int?)column.Index).FirstOrDefault();
    }

    /// <summary>The task that the target's cells ask for.</summary>
    public static TaskKind Infer(ColumnSurvey survey) =>
        (survey.AreNumbers || survey.Magnitudes is not null) && !AreNames(survey) ? TaskKind.Regression : TaskKind.Classification;

    /// <summary>Whether numbers may be names of classes: few whole ones, or written short, or codes, each in several rows.</summary>
    private static bool AreNames(ColumnSurvey survey) => survey is { HasMoreLevels: false, Levels.Count: var levels } && (survey.AreWhole || survey.Magnitudes is not null)
        && (levels <= MostNumbers ? (long)FewestOfNumber * levels <= survey.Present : survey.AreCodes && levels <= MostClasses && 2L * levels <= survey.Present);

    /// <summary>The task and its classes are what all rows say that do not test.</summary>
    /// <exception cref="DataException">The column cannot be learned.</exception>
    public static TargetColumn Fit(string name, ColumnSurvey survey, TaskKind? kind, string file, AbsentTargets? absent = null)
    {
        var column = ColumnOf(file, name);
        if (survey.Present == 0) throw new DataException($"{file}: no row has a target, the column {OneLine.Quoted(name)} is empty. Choose another with data.target.");
        if (survey is { HasMoreLevels: false, Levels.Count: 1 }) throw OfOneValue(column, survey.Levels, absent);
        if (kind is null && survey is { AreNumbers: true, Dates: not null } && !AreNames(survey)) throw OfDates(column, survey);
        if (kind is null && (survey.Magnitudes is { } magnitudes ? AreNames(survey) ? null : magnitudes.Words : survey.Words) is { } words)
            throw new DataException($"{column} is of numbers, and of texts such as {OneLine.Quoted(words[0])}. Empty those cells, so that their rows are left out, or choose another with data.target.");
        return new TargetColumn(name, (kind ?? Infer(survey)) == TaskKind.Regression ? Number(name, survey, column, survey.Magnitudes is { Words: null }) : Classes(name, survey, column));
    }

    /// <summary>The same target in the units of the rows that train.</summary>
    /// <param name="training">Their survey.</param>
    /// <exception cref="DataException">They have one value.</exception>
    public TargetColumn FittedOn(ColumnSurvey training, string file) => Task is not Regression { Short: var isShort } ? this
        : isShort ? new TargetColumn(Name, Number(Name, training, ColumnOf(file, Name), isShort)) : Fit(Name, training, TaskKind.Regression, file);

    /// <summary>The target that a run was trained on.</summary>
    public static TargetColumn Of(LearningTask task, string name) => new(name, task);

    /// <summary>A row's target; null of a class that no training row has.</summary>
    /// <param name="reason">What is wrong with the cell; null if nothing is.</param>
    public float? Read(Cell cell, out string? reason)
    {
        reason = null;
        if (Task is Classification) return _places.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(cell.Text(ref _text), out var place) ? place : null;
        var task = (Regression)Task;
        if (!cell.TryNumber(task.Unit, task.Short, out var number)) reason = $"{cell.ToString()} is not a number, and the target is one";
        else if (task.Standardise(number) is var standardised && float.IsFinite(standardised)) return standardised;
        else reason = $"{cell.ToString()} lies too far from the training rows' targets";
        return null;
    }

    /// <summary>What people should know of the target.</summary>
    public IEnumerable<string> Notes(ColumnSurvey survey)
    {
        if (Task is not Classification { Classes: var classes }) yield break;
        var (commonest, count) = survey.Levels.MaxBy(level => level.Value);
        if (count >= NearlyConstant * survey.Present)
            yield return $"{OneLine.Quoted(commonest)} is the target of {100.0 * count / survey.Present:0.0} % of the training rows: whoever always says so is right as often. If this is not the target, name it with data.target.";
        foreach (var alike in classes.GroupBy(Letters).Where(group => group.Key.Length > 0 && group.Count() > 1))
            yield return $"The classes {string.Join(" and ", alike.Select(name => OneLine.Quoted(name)))} differ only by case or punctuation, and are learned as different classes. If they are one, write them alike in the file.";
    }

    private static Classification Classes(string name, ColumnSurvey survey, string column)
    {
        var isOften = !survey.HasMoreLevels && survey.Levels.Count <= MostClasses && 2L * survey.Levels.Count <= survey.Present;
        if (!isOften && survey.Dates is not null) throw OfDates(column, survey);
        if (survey.HasMoreLevels || survey.Levels.Count > MostClasses)
            throw new DataException($"{column} has more than {MostClasses:N0} classes{(survey.AreNumbers ? ": for numbers choose data.task regression" : "")}. Choose another with data.target.");
        if (2L * survey.Levels.Count > survey.Present)
            throw new DataException($"{column} has {survey.Levels.Count:N0} classes in {survey.Present:N0} training rows: a class needs several rows{(survey.AreNumbers ? "; for numbers choose data.task regression" : "")}. Choose another with data.target.");
        var classes = Spellings.Merged(survey.Levels);
        return classes.Count == 1 ? throw OfOneValue(column, classes) : new Classification(CategoryColumn.Ordered(classes.Keys)) { Target = name };
    }

    private static DataException OfOneValue(string column, IReadOnlyDictionary<string, long> levels, AbsentTargets? absent = null) => new(
        $"{column} is {OneLine.Quoted(levels.Keys.First())} in every training row: there is nothing to learn. {(levels.ContainsKey("+") && absent?.Minuses is > 0 and var minuses
            ? $"{minuses:N0} {Plural.Of(minuses, "row")} {(minuses == 1 ? "has" : "have")} \"-\", which is a missing cell: if it is a class, write it as \"minus\" in the file."
            : "Choose another with data.target.")}");

    private static DataException OfDates(string column, ColumnSurvey survey) => new(
        $"{column} is of dates or times, as {OneLine.Quoted(survey.FirstText ?? survey.Levels.Keys.First())}, which nothing here predicts: write a number in their place, such as days from a day on, or choose another with data.target.");

    private static string ColumnOf(string file, string name) => $"{file}: the target {OneLine.Quoted(name)}";

    private static Regression Number(string name, ColumnSurvey survey, string column, bool isShort)
    {
        if (!survey.AreNumbers && !isShort) throw new DataException($"{column} cannot be learned by regression: {OneLine.Quoted(survey.FirstText!)} is not a number. Choose data.task classification.");
        var numbers = isShort ? survey.LongNumbers : survey.Numbers;
        if (!numbers.AreFinite || !double.IsFinite(numbers.Deviation))
            throw new DataException($"{column} cannot be learned: its numbers lie too far apart, and their spread overflows. Divide them, or choose another with data.target.");
        // Where members do not see all rows, what they have in common may not tell of one that they did not see.
        return !isShort && survey.Kept is { } kept && RobustScale.Of(kept) is (var centre, var scale)
            ? new Regression(centre, scale, numbers.Least, numbers.Greatest) { Target = name, Unit = survey.Unit, IsRobust = true }
            : new Regression(numbers.Mean, numbers.Deviation, numbers.Least, numbers.Greatest) { Target = name, Unit = isShort ? null : survey.Unit, Short = isShort };
    }

    /// <summary>In lower case, without what people write or leave out by chance.</summary>
    private static string Letters(string text)
    {
        var letters = new StringBuilder(text.Length);
        foreach (var character in text.Where(character => !char.IsWhiteSpace(character) && !".,;:!?'\"-_".Contains(character))) letters.Append(char.ToLowerInvariant(character));
        return letters.ToString();
    }
}

/// <summary>What stands where a target is missing: a word for it may be meant as a class.</summary>
internal sealed class AbsentTargets
{
    private const string Word = "none";
    private long _count;
    private string _text = "";

    /// <summary>Rows where it is -, which beside + may be meant as a class, too.</summary>
    public long Minuses { get; private set; }

    public void Add(Cell cell)
    {
        if (cell.Bytes is [(byte)'-']) Minuses++;
        if (!Ascii.EqualsIgnoreCase(cell.Bytes, Word)) return;
        if (_count++ == 0) _text = Encoding.UTF8.GetString(cell.Bytes);
    }

    public IEnumerable<string> Notes => _count == 0 ? [] :
        [$"{_count:N0} {Plural.Of(_count, "row")} {(_count == 1 ? "has" : "have")} no target, because it is {OneLine.Quoted(_text)} there. If this is a class, call it otherwise in the file, as \"no\"."];
}

/// <summary>Columns that somebody names.</summary>
internal static class NamedColumns
{
    /// <summary>Columns that an error names where none is like the one that is meant.</summary>
    private const int LongestList = 12;

    /// <summary>A column by its name; of a table without names by its number, too.</summary>
    /// <param name="what">What the column is to be, as the flag calls it.</param>
    /// <exception cref="DataException">There is none.</exception>
    public static int Place(IReadOnlyList<string> columns, string name, string what, string file)
    {
        string[] meant = [name, name.Trim(), ColumnNames.OfPlace(int.TryParse(name, out var number) ? number - 1 : -1)];
        return meant.SelectMany(text => columns.Index().Where(column => column.Item == text)).Select(column => (int?)column.Index).FirstOrDefault() ?? throw new DataException(
            $"{file} has no column {OneLine.Quoted(name)} to be {what}: {WayOut(name, columns)}");
    }

    private static string WayOut(string name, IReadOnlyList<string> columns) => Nearest.Like(name, columns) is { } meant
        ? $"did you mean {OneLine.Quoted(meant)}?"
        : $"it has {string.Join(", ", columns.Take(LongestList).Select(column => OneLine.Quoted(column)))}{(columns.Count > LongestList ? $" and {columns.Count - LongestList:N0} more" : "")}.";

    /// <summary>The columns of a list.</summary>
    /// <exception cref="DataException">One is unknown, or named twice.</exception>
    public static HashSet<string> All(IReadOnlyList<string> columns, IReadOnlyList<string>? names, string flag, string file)
    {
        var chosen = new HashSet<string>();
        foreach (var name in names ?? [])
        {
            var place = Place(columns, name, $"one of data.{flag}", file);
            if (!chosen.Add(columns[place])) throw new DataException($"{file}: data.{flag} names the column {OneLine.Quoted(name)} twice. Once is enough.");
        }

        return chosen;
    }
}
