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

/// <summary>Another value in every row: the row's number, name or code.</summary>
public sealed record IdentifierColumn : LeftOutColumn
{
    private const int LongestName = 40;

    /// <summary>Numbers that count the rows from here on, and stay below there, are years.</summary>
    private const int FirstYear = 1600, LastYear = 2100;

    internal static ColumnEncoder? Fit(string name, ColumnSurvey survey) =>
        survey.AreNumbers
            ? survey.Dates is not null ? null
            : survey is { CountsRows: true, Missing: 0 } && !AreYears(survey.Numbers) ? new IdentifierColumn { Name = name, Note = "counts the rows" }
            : survey is { IsUnnamed: true, AreWhole: true, Missing: 0 } && (survey.HasMoreLevels || IsDistinct(survey)) ? new IdentifierColumn { Name = name, Note = "another number in every row, without a name" }
            : survey.AreCodes && IsDistinct(survey) ? new IdentifierColumn { Name = name, Note = "another code in every row" }
            : null
            : IsDistinct(survey) && survey is { Dates: null, Words: null, Magnitudes: null } && survey.MeanLength <= LongestName ? new IdentifierColumn { Name = name, Note = "another text in every row" }
            : null;

    private static bool AreYears(Moments numbers) => numbers is { Least: >= FirstYear, Greatest: <= LastYear };

    private static bool IsDistinct(ColumnSurvey survey) => !survey.HasMoreLevels && survey.Levels.Count == survey.Present;
}

/// <summary>Numbers whose deviation is beyond any number.</summary>
public sealed record OverflowingColumn : LeftOutColumn
{
    internal static ColumnEncoder? Fit(string name, ColumnSurvey survey) => (survey.AreNumbers || survey.Words is not null) && !NumberColumn.HasSpread(survey.Numbers)
        ? new OverflowingColumn { Name = name, Note = "numbers too far apart: their spread overflows, unless they are divided" } : null;
}

/// <summary>Text that is no category.</summary>
public sealed record TextColumn : LeftOutColumn
{
    internal static ColumnEncoder Fit(string name, ColumnSurvey survey) => new TextColumn
    {
        Name = name,
        Note = survey.AreAmbiguousDates ? "dates whose days and months cannot be told from one another"
            : survey is { AreMixed: true, FirstText: { } text }
                ? $"numbers, and text such as {OneLine.Quoted(text)}"
                : $"text, {survey.Levels.Count:N0}{(survey.HasMoreLevels ? " and more" : "")} different of {survey.Present:N0}",
    };
}

/// <summary>Left out because somebody said so.</summary>
public sealed record IgnoredColumn : LeftOutColumn;
