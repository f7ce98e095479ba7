using System.Globalization;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tables;

/// <summary>What training would make of a table, without training.</summary>
/// <param name="Rows">Of the file.</param>
/// <param name="Target">Null, like the task, of a table that cannot be learned from.</param>
internal sealed record TableInspection(
    string File, TableFormat Format, long Rows, long RowsWithoutTarget, string? Target, TaskKind? Task, IReadOnlyList<InspectedColumn> Columns)
{
    /// <summary>What people should know.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>The networks of the members that are trained by default, as in "7 mlp, 3 tabm"; null of a table that cannot be learned from.</summary>
    public string? Networks { get; init; }

    /// <summary>Why the table cannot be learned from; null if it can.</summary>
    public string? Problem { get; init; }

    /// <param name="path">As in <see cref="TableSource"/>.</param>
    /// <exception cref="DataException">The file is missing, or no table.</exception>
    public static TableInspection Of(string path, DataFolders folders, DataSpec data)
    {
        var file = TableFile.Of(TableSource.Find(path, folders), path);
        var (format, columns, all) = TableSurvey.AllRows(file, data);
        var rows = all.Length == 0 ? 0 : all[0].Rows;
        try
        {
            var survey = TableSurvey.Of(file, new EnsembleSpec { Data = data }, data.Test is not null);
            var encoders = survey.Description.Columns.ToDictionary(column => column.Name);
            return new TableInspection(
                path, format, rows, survey.Description.RowsWithoutTarget, survey.Target.Name,
                survey.Target.Task.Kind,
                [.. columns.Select((name, i) => i == survey.TargetPlace ? TargetOf(name, all[i], survey.Target.Task) : Column(name, all[i], encoders[name]))])
            {
                Notes = survey.Description.Notes,
                Networks = NetworksOf(SpecDocument.Empty.Resolve(TableDefaults.For(survey.TrainRows, survey.Target.Task))),
            };
        }
        catch (DataException problem)
        {
            return new TableInspection(path, format, rows, 0, null, null, [.. columns.Select((name, i) => Column(name, all[i], ColumnKinds.Fit(name, all[i], false)))])
            {
                Problem = problem.Message,
            };
        }
    }

    private static string NetworksOf(EnsembleSpec spec) => string.Join(", ", Enumerable.Range(0, spec.Members)
        .GroupBy(member => spec.OfMember(member).Model.Kind).Select(kind => $"{kind.Count()} {kind.Key}"));

    private static InspectedColumn Column(string name, ColumnSurvey survey, ColumnEncoder encoder) =>
        Column(name, ColumnKinds.NameOf(encoder), survey, encoder.Inputs, Joined(encoder.Becomes, encoder.Note));

    /// <remarks>What is said before training is the range of the rows that train.</remarks>
    private static InspectedColumn TargetOf(string name, ColumnSurvey survey, LearningTask task)
    {
        var trained = task is Regression numbers ? $"{Number(numbers.Minimum)} … {Number(numbers.Maximum)}" : null;
        return Column(name, "target", survey, 0, Joined(
            survey.Unit is { } unit && survey.AreNumbers ? $"numbers of {OneLine.Quoted(unit)}" : null,
            trained is null || trained == Contents(survey) ? null : $"{trained} in the rows that train"));
    }

    private static string? Joined(params string?[] notes) => string.Join("; ", notes.OfType<string>()) is { Length: > 0 } all ? all : null;

    private static InspectedColumn Column(string name, string kind, ColumnSurvey survey, int inputs, string? note) =>
        new(name, kind, survey.Missing, survey.Levels.Count, inputs, note, Contents(survey)) { HasMore = survey.HasMoreLevels };

    private static string Contents(ColumnSurvey survey)
    {
        const int MostNamed = 4;
        if (survey.Present == 0) return "";
        if (survey.Magnitudes is { Numbers: var numbers }) return $"{Number(numbers.Least)} … {Number(numbers.Greatest)}";
        if (survey is { AreNumbers: true, Dates: null }) return $"{Number(survey.Numbers.Least)} … {Number(survey.Numbers.Greatest)}";
        if (survey.Dates is { Moments.Seconds: var seconds }) return $"{Time(seconds.Least)} … {Time(seconds.Greatest)}";
        var levels = survey.Levels.OrderByDescending(level => level.Value).ThenBy(level => level.Key, StringComparer.Ordinal).Take(MostNamed);
        return string.Join(", ", levels.Select(level => $"{OneLine.Quoted(level.Key)} {level.Value:N0}")) + (survey.Levels.Count > MostNamed ? ", …" : "");
    }

    private static string Number(double number) => number.ToString("G6", CultureInfo.InvariantCulture);

    private static string Time(double seconds) => DateTime.UnixEpoch.AddSeconds(seconds).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
}

/// <summary>A column as a person sees it.</summary>
/// <param name="Missing">Cells of all rows.</param>
/// <param name="Distinct">Values of all rows, as far as they were counted.</param>
/// <param name="Note">What it becomes, or why it is left out.</param>
/// <param name="Contents">The range of numbers and dates, the commonest levels of others.</param>
internal sealed record InspectedColumn(string Name, string Kind, long Missing, long Distinct, int Inputs, string? Note, string Contents)
{
    /// <summary>Whether there are more distinct values than were counted.</summary>
    public bool HasMore { get; init; }
}
