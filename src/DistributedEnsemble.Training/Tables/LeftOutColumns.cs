using DistributedEnsemble.Messages;

namespace DistributedEnsemble.Training.Tables;

/// <summary>A column of no use: known by name, and never looked at.</summary>
public abstract record LeftOutColumn : ColumnEncoder
{
    public sealed override int Inputs => 0;

    public sealed override IEnumerable<string> InputNames => [];

    public sealed override string? Encode(Cell cell, Span<float> inputs) => null;
}

/// <summary>The same in every training row.</summary>
public sealed record ConstantColumn : LeftOutColumn
{
    internal static ColumnEncoder? Fit(string name, ColumnSurvey survey) =>
        survey.Present == 0 ? new ConstantColumn { Name = name, Note = "always missing" }
        : survey.Missing == 0 && survey is { Levels.Count: 1, HasMoreLevels: false } ? new ConstantColumn { Name = name, Note = $"always {OneLine.Quoted(survey.Levels.Keys.First())}" }
        : null;
}

/// <summary>Another value in every row: the row's number or name.</summary>
public sealed record IdentifierColumn : LeftOutColumn
{
    private const int LongestName = 40;

    internal static ColumnEncoder? Fit(string name, ColumnSurvey survey) =>
        survey.AreNumbers
            ? survey is { CountsRows: true, Missing: 0 } ? new IdentifierColumn { Name = name, Note = "counts the rows" } : null
            : IsDistinct(survey) && survey.Dates is null && survey.MeanLength <= LongestName ? new IdentifierColumn { Name = name, Note = "another text in every row" }
            : null;

    private static bool IsDistinct(ColumnSurvey survey) => !survey.HasMoreLevels && survey.Levels.Count == survey.Present;
}

/// <summary>Text that is no category.</summary>
public sealed record TextColumn : LeftOutColumn
{
    internal static ColumnEncoder Fit(string name, ColumnSurvey survey) => new TextColumn
    {
        Name = name,
        Note = survey.Numbers.Count > 0 && survey.FirstText is { } text
            ? $"numbers, and text such as {OneLine.Quoted(text)}"
            : $"text, {survey.Levels.Count:N0}{(survey.HasMoreLevels ? " and more" : "")} different of {survey.Present:N0}",
    };
}

/// <summary>Left out because somebody said so.</summary>
public sealed record IgnoredColumn : LeftOutColumn;
