using DistributedEnsemble.Messages;
using DistributedEnsemble.Training.Data;

namespace DistributedEnsemble.Training.Tables;

/// <summary>
/// A number: (x − mean) / deviation, computed in double; a missing one is the mean, and one more input says 1 for it where
/// training rows lack some.
/// </summary>
public sealed record NumberColumn : ColumnEncoder
{
    public required double Mean { get; init; }
    public required double Deviation { get; init; }

    /// <summary>Whether training rows lack some.</summary>
    public bool Missing { get; init; }

    public override int Inputs => Missing ? 2 : 1;

    public override IEnumerable<string> InputNames => Missing ? [Name, $"{Name} is missing"] : [Name];

    internal static ColumnEncoder? Fit(string name, ColumnSurvey survey) => !survey.AreNumbers ? null
        : !survey.Numbers.AreFinite || !double.IsFinite(survey.Numbers.Deviation)
            ? throw new DataException($"The numbers of the column {OneLine.Quoted(name)} lie too far apart: their spread overflows. Leave it out (data.ignore), or divide it.")
        : new NumberColumn { Name = name, Mean = survey.Numbers.Mean, Deviation = survey.Numbers.Deviation, Missing = survey.Missing > 0 };

    public override string? Encode(Cell cell, Span<float> inputs)
    {
        var isMissing = cell.IsMissing;
        if (Missing) inputs[1] = isMissing ? 1 : 0;
        inputs[0] = 0;
        if (isMissing) return null;
        if (!cell.TryNumber(out var number)) return $"{cell.ToString()} is not a number, and all of the training rows' cells are";
        inputs[0] = Standardised(number, Mean, Deviation);
        return float.IsFinite(inputs[0]) ? null : $"{cell.ToString()} lies too far from the training rows' numbers";
    }

    public override string? Fault() => !double.IsFinite(Mean) || !(Deviation > 0) || !double.IsFinite(Deviation)
        ? $"the mean or deviation of {OneLine.Quoted(Name)} is not one" : null;

    internal static float Standardised(double number, double mean, double deviation) => (float)((number - mean) / deviation);
}
