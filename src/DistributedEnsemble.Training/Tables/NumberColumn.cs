using System.Text.Json.Serialization;
using DistributedEnsemble.Messages;

namespace DistributedEnsemble.Training.Tables;

/// <summary>
/// A number: (x − mean) / deviation, computed in double; a missing one is the mean, and one more input says 1 for it where
/// training rows lack some.
/// </summary>
public sealed record NumberColumn : ColumnEncoder
{
    [ThreadStatic]
    private static char[]? s_text;

    public required double Mean { get; init; }
    public required double Deviation { get; init; }

    /// <summary>Whether training rows lack some.</summary>
    public bool Missing { get; init; }

    /// <summary>The few texts that stand in place of a number: each is a missing cell. Null if there are none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Words { get; init; }

    /// <summary>What stands behind every number, and may; null if nothing does.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Unit { get; init; }

    /// <summary>Whether some are written short, as 12k.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Short { get; init; }

    public override int Inputs => Missing ? 2 : 1;

    public override IEnumerable<string> InputNames => Missing ? [Name, $"{Name} is missing"] : [Name];

    internal static ColumnEncoder? Fit(string name, ColumnSurvey survey) => survey.Magnitudes is { } magnitudes ? FitShort(name, survey, magnitudes.Words)
        : !survey.AreNumbers && survey.Words is null ? null
        // Of codes it is the same or another that counts, and not the size.
        : survey.AreCodes && CategoryColumn.Fit(name, survey) is not null ? null
        : !HasSpread(survey.Numbers) ? null
        : new NumberColumn
        {
            Name = name,
            Mean = survey.Numbers.Mean,
            Deviation = survey.Numbers.Deviation,
            Missing = survey.Missing > 0 || survey.Words is not null,
            Unit = survey.Unit,
        }.With(survey.Words);

    internal override bool MayBeTarget => true;

    /// <remarks>All rows say which words are missing cells, and whether some numbers are written short.</remarks>
    internal override ColumnEncoder? FittedOn(ColumnSurvey training) => Short ? FitShort(Name, training, Words)
        : Words is not null && Fit(Name, training) is NumberColumn number ? number.With(Words) : null;

    private static NumberColumn FitShort(string name, ColumnSurvey survey, IReadOnlyList<string>? words) => new NumberColumn
    {
        Name = name,
        Mean = survey.LongNumbers.Mean,
        Deviation = survey.LongNumbers.Deviation,
        Missing = survey.Missing > 0 || survey.LongNumbers.Count < survey.Present,
        Short = true,
    }.With(words);

    internal static bool HasSpread(Moments numbers) => numbers.AreFinite && double.IsFinite(numbers.Deviation);

    /// <summary>The same column where some texts are missing cells, and what it says of itself.</summary>
    internal NumberColumn With(IReadOnlyList<string>? words)
    {
        string[] ordered = [.. (words ?? []).Order(StringComparer.Ordinal)];
        var what = Short ? "numbers, of which some are written short, as 12k" : Unit is null ? "numbers" : $"numbers of {OneLine.Quoted(Unit)}";
        return this with
        {
            Words = words is null ? null : ordered,
            Note = words is not null ? $"{what}; {string.Join(", ", ordered.Select(word => OneLine.Quoted(word)))} {(ordered.Length == 1 ? "is a missing cell" : "are missing cells")}"
                : Short || Unit is not null ? what : null,
        };
    }

    public override string? Encode(Cell cell, Span<float> inputs)
    {
        var isNumber = TryNumber(cell, out var number);
        var isMissing = !isNumber && (cell.IsMissing || IsWord(cell));
        if (Missing) inputs[1] = isMissing ? 1 : 0;
        inputs[0] = 0;
        if (isMissing) return null;
        if (!isNumber)
            return $"{cell.ToString()} is not a number, and all of the training rows' cells are{(Words is null ? "" : $", or {string.Join(" or ", Words.Select(word => OneLine.Quoted(word)))}")}";
        inputs[0] = Standardised(number, Mean, Deviation);
        return float.IsFinite(inputs[0]) ? null : $"{cell.ToString()} lies too far from the training rows' numbers";
    }

    public override string? Fault() => !double.IsFinite(Mean) || !(Deviation > 0) || !double.IsFinite(Deviation)
        ? $"the mean or deviation of {OneLine.Quoted(Name)} is not one" : null;

    public bool Equals(NumberColumn? other) => base.Equals(other) && Mean == other.Mean && Deviation == other.Deviation && Missing == other.Missing
        && Unit == other.Unit && Short == other.Short && (Words ?? []).SequenceEqual(other.Words ?? []);

    public override int GetHashCode() => HashCode.Combine(Name, Mean, Deviation, Missing);

    /// <summary>The number that a cell is, with the column's unit or without.</summary>
    internal bool TryNumber(Cell cell, out double number) => cell.TryNumber(Unit, Short, out number);

    private bool IsWord(Cell cell)
    {
        if (Words is null) return false;
        var buffer = s_text ??= new char[64];
        var text = cell.Text(ref buffer);
        s_text = buffer;
        foreach (var word in Words) if (text.SequenceEqual(word)) return true;
        return false;
    }

    internal static float Standardised(double number, double mean, double deviation) => (float)((number - mean) / deviation);
}
