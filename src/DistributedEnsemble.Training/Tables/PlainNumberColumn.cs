using System.Globalization;

namespace DistributedEnsemble.Training.Tables;

/// <summary>A pixel, or a feature of a run from before columns had kinds: a number in float32 that must be there.</summary>
public sealed record PlainNumberColumn : ColumnEncoder
{
    public override int Inputs => 1;

    public override IEnumerable<string> InputNames => [Name];

    public override string? Encode(Cell cell, Span<float> inputs)
    {
        if (cell.Bytes.IsEmpty && !cell.TryNumber(out _)) return "the cell is empty";
        // As float from the text: twice rounded numbers can differ in the last bit.
        if (float.TryParse(cell.Bytes, NumberStyles.Float, CultureInfo.InvariantCulture, out inputs[0]) && float.IsFinite(inputs[0])) return null;
        if (!cell.TryNumber(out var number)) return $"{cell.ToString()} is not a number";
        inputs[0] = (float)number;
        return float.IsFinite(inputs[0]) ? null : $"{cell.ToString()} is outside the range of float32";
    }
}
