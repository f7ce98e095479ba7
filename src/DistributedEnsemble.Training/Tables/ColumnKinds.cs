namespace DistributedEnsemble.Training.Tables;

/// <summary>A kind of column.</summary>
/// <param name="Name">As data.json and `inspect` call it.</param>
/// <param name="Encoder">The type that describes a column of it.</param>
/// <param name="Fit">Its encoder for a column of this name; null if the column is of another kind.</param>
internal sealed record ColumnKind(string Name, Type Encoder, Func<string, ColumnSurvey, ColumnEncoder?> Fit);

/// <summary>All kinds of columns, in the order in which they are tried.</summary>
internal static class ColumnKinds
{
    public static IReadOnlyList<ColumnKind> All { get; } =
    [
        new("constant", typeof(ConstantColumn), ConstantColumn.Fit),
        new("identifier", typeof(IdentifierColumn), IdentifierColumn.Fit),
        // Days in digits are numbers as well.
        new("datetime", typeof(DateTimeColumn), DateTimeColumn.Fit),
        new("number", typeof(NumberColumn), NumberColumn.Fit),
        new("overflowing", typeof(OverflowingColumn), OverflowingColumn.Fit),
        new("category", typeof(CategoryColumn), CategoryColumn.Fit),
        new("text", typeof(TextColumn), TextColumn.Fit),
        new("ignored", typeof(IgnoredColumn), (_, _) => null),
    ];

    public static string NameOf(ColumnEncoder encoder) => All.First(kind => kind.Encoder == encoder.GetType()).Name;

    /// <summary>The first kind that takes the column by all rows that do not test, fitted on those that train.</summary>
    /// <inheritdoc cref="Fit(string, ColumnSurvey, bool)"/>
    public static ColumnEncoder Fit(string name, ColumnSurvey all, ColumnSurvey training, bool categorical)
    {
        var encoder = Fit(name, all, categorical);
        if (encoder.Inputs == 0 || ReferenceEquals(all, training)) return encoder;
        // Where the training rows alone are not of that kind, only what takes any text can encode the others.
        return encoder.FittedOn(training) ?? All.First(kind => kind.Encoder == encoder.GetType()).Fit(name, training) ?? CategoryColumn.Fit(name, training) ?? TextColumn.Fit(name, all);
    }

    /// <summary>The first kind that takes the column.</summary>
    /// <param name="categorical">Whether somebody said that its numbers are names of categories.</param>
    public static ColumnEncoder Fit(string name, ColumnSurvey survey, bool categorical) =>
        (categorical ? CategoryColumn.Fit(name, survey) : null) ?? All.Select(kind => kind.Fit(name, survey)).First(encoder => encoder is not null)!;
}
