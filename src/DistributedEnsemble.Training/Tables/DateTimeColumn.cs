using System.Text.Json.Serialization;
using DistributedEnsemble.Messages;

namespace DistributedEnsemble.Training.Tables;

/// <summary>
/// A date or time: its seconds since 1970, and of year, month, weekday (Monday is 0) and hour those that vary, each standardised
/// in double. A missing one is the mean of all, and one more input says 1 for it where training rows lack some.
/// </summary>
public sealed record DateTimeColumn : ColumnEncoder
{
    [ThreadStatic]
    private static char[]? s_text;

    private readonly DateForm? _form;
    private readonly (int Input, Func<DateTime, int> Of, StandardisedPart Part)[] _parts = [];

    /// <summary>How dates are written: one of <see cref="DateForm"/>'s names.</summary>
    public required string Form
    {
        get;
        init => (field, _form) = (value, DateForm.All.FirstOrDefault(form => form.Name == value));
    }

    public required double Mean { get; init; }
    public required double Deviation { get; init; }

    /// <summary>The parts that are inputs, too.</summary>
    public required IReadOnlyList<StandardisedPart> Parts
    {
        get;
        init => (field, _parts) = (value, [.. value.Select((part, i) => (i + 1, DateParts.All.FirstOrDefault(known => known.Name == part.Part).Of, part))]);
    }

    /// <summary>Whether training rows lack some.</summary>
    public bool Missing { get; init; }

    [JsonIgnore]
    public override int Inputs => 1 + Parts.Count + (Missing ? 1 : 0);

    public override IEnumerable<string> InputNames =>
        [Name, .. Parts.Select(part => $"{part.Part} of {Name}"), .. Missing ? [$"{Name} is missing"] : Array.Empty<string>()];

    /// <summary>Whether cells are times without a date.</summary>
    internal bool IsOfDay => _form == DateForm.OfDay || _form?.IsDuration == true;

    internal static ColumnEncoder? Fit(string name, ColumnSurvey survey) => Fit(name, survey, survey.Dates);

    /// <remarks>All rows say how dates are written.</remarks>
    internal override ColumnEncoder? FittedOn(ColumnSurvey training) => Fit(Name, training, training.DatesOf(Form)) is { } dates ? dates with { Note = Note } : null;

    private static DateTimeColumn? Fit(string name, ColumnSurvey survey, (DateForm Form, DateMoments Moments)? found) => found is not { } dates ? null : new DateTimeColumn
    {
        Name = name,
        Form = dates.Form.Name,
        Mean = dates.Moments.Seconds.Mean,
        Deviation = dates.Moments.Seconds.Deviation,
        // A duration has no month.
        Parts = dates.Form.IsDuration ? [] : [.. dates.Moments.Parts.Zip(DateParts.All).Where(part => part.First.Varies)
            .Select(part => new StandardisedPart(part.Second.Name, part.First.Mean, part.First.Deviation))],
        Missing = survey.Missing > 0,
        Note = dates.Form == DateForm.OfDay && survey.DatesOf(DateForm.Duration.Name) is not null
            ? "times of day; if they are durations, write them as numbers, as of minutes" : null,
    };

    public override string? Encode(Cell cell, Span<float> inputs)
    {
        inputs.Clear();
        if (cell.IsMissing)
        {
            if (Missing) inputs[^1] = 1;
            return null;
        }

        if (!TryParse(cell, out var time)) return $"{cell.ToString()} is not a date as the training rows have them ({Form})";
        inputs[0] = NumberColumn.Standardised(DateForm.Seconds(time), Mean, Deviation);
        foreach (var (input, of, part) in _parts) inputs[input] = NumberColumn.Standardised(of(time), part.Mean, part.Deviation);
        return null;
    }

    public override string? Fault() => _form is null ? $"the form {OneLine.Quoted(Form)} of dates is unknown"
        : _parts.Any(part => part.Of is null || !(part.Part.Deviation > 0) || !double.IsFinite(part.Part.Mean)) ? $"a part of {OneLine.Quoted(Name)} is unknown"
        : !double.IsFinite(Mean) || !(Deviation > 0) ? $"the mean or deviation of {OneLine.Quoted(Name)} is not one" : null;

    /// <summary>Whoever writes dates otherwise today may write them as ISO 8601 has it, too.</summary>
    private bool TryParse(Cell cell, out DateTime time)
    {
        var buffer = s_text ??= new char[64];
        var text = cell.Text(ref buffer);
        s_text = buffer;
        if (_form!.TryParse(text, out time) || DateForm.All[0].TryParse(text, out time)) return true;
        // 20240105.0, as programs write whole numbers beside empty cells.
        if (_form != DateForm.Digits || !cell.TryNumber(out var number) || DateForm.DayOf(number) is not { } day) return false;
        time = day;
        return true;
    }

    public bool Equals(DateTimeColumn? other) => base.Equals(other) && Form == other.Form && Mean == other.Mean
        && Deviation == other.Deviation && Missing == other.Missing && Parts.SequenceEqual(other.Parts);

    public override int GetHashCode() => HashCode.Combine(Name, Form, Mean);
}

/// <param name="Part">year, month, weekday or hour.</param>
public sealed record StandardisedPart(string Part, double Mean, double Deviation);
