using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json.Serialization;
using DistributedEnsemble.Messages;

namespace DistributedEnsemble.Training.Tables;

/// <summary>
/// One of some texts. Levels that hardly any training rows have, and those that none has, are one level, "other"; a
/// missing cell is a level where training rows lack some. Up to sixteen levels are an input each, 0 or 1; of more, the one input
/// is the level's index, which the network puts a vector in the place of.
/// </summary>
public sealed record CategoryColumn : ColumnEncoder
{
    /// <summary>Levels up to which each is an input.</summary>
    public const int MostInputs = 16;

    /// <summary>How often a level must stand there to be one: twice, and more often in a long table, whose rare levels would be learned by heart.</summary>
    private const int FewestOfLevel = 2, MostOfLevel = 20, RowsPerLevel = 250;

    private const int WidestVector = 50;

    [ThreadStatic]
    private static char[]? s_text;

    private readonly FrozenDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _places;

    /// <summary>In the order of their indices; "missing" and "other" follow.</summary>
    public required IReadOnlyList<string> Levels
    {
        get;
        init
        {
            field = value;
            _places = Spellings.Places(value).ToFrozenDictionary(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
        }
    }

    /// <summary>Whether "missing" is a level.</summary>
    public bool Missing { get; init; }

    /// <summary>Whether training rows have levels that are too rare to be one.</summary>
    public bool Other { get; init; }

    /// <summary>Numbers of the vector that a level becomes; null where levels are inputs.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Vector { get; init; }

    public override int Inputs => Vector is null ? Levels.Count + (Missing ? 1 : 0) + (Other ? 1 : 0) : 1;

    public override IEnumerable<string> InputNames => Vector is not null ? [$"level of {Name}"]
        : [.. Levels.Select(level => $"{Name} is {level}"), .. Missing ? [$"{Name} is missing"] : Array.Empty<string>(), .. Other ? [$"{Name} is another"] : Array.Empty<string>()];

    public override (int Levels, int Width)? Embedded => Vector is { } width ? (OtherPlace + 1, width) : null;

    public override string Becomes => Embedded is { } levels
        ? $"the index of one of {levels.Levels:N0} levels, a vector of {levels.Width}" : $"{Inputs} {Plural.Of(Inputs, "input")}, one for each level";

    /// <summary>Of levels that are unknown.</summary>
    internal int OtherPlace => Levels.Count + (Missing ? 1 : 0);

    internal override bool MayBeTarget => true;

    /// <summary>Null if there are too many levels, or none that stands there twice.</summary>
    internal static ColumnEncoder? Fit(string name, ColumnSurvey survey)
    {
        if (survey.HasMoreLevels || 2L * survey.Levels.Count > survey.Present || survey.Present == 0) return null;
        var least = Math.Clamp(survey.Present / RowsPerLevel, FewestOfLevel, MostOfLevel);
        var all = Spellings.Merged(survey.Levels);
        var levels = Ordered(all.Where(level => level.Value >= least).Select(level => level.Key));
        if (levels.Length == 0) return null;
        var count = levels.Length + (survey.Missing > 0 ? 1 : 0);
        return new CategoryColumn
        {
            Name = name,
            Levels = levels,
            Missing = survey.Missing > 0,
            Other = levels.Length < all.Count,
            Vector = count <= MostInputs ? null : Math.Min(WidestVector, (int)Math.Ceiling(1.6 * Math.Pow(count, 0.56))),
        };
    }

    public override string? Encode(Cell cell, Span<float> inputs)
    {
        var place = Place(cell);
        if (Vector is not null)
        {
            inputs[0] = place;
            return null;
        }

        inputs.Clear();
        // Unseen levels are all zeros where no training row taught what "other" is.
        if (place < inputs.Length) inputs[place] = 1;
        return null;
    }

    public override string? Fault() => Levels.Any(level => level is null) || Levels.Distinct().Count() != Levels.Count ? $"the levels of {OneLine.Quoted(Name)} are not distinct texts"
        : Vector is < 1 or > WidestVector ? $"the vectors of {OneLine.Quoted(Name)} are not 1 to {WidestVector} wide"
        : Levels.Count == 0 ? $"{OneLine.Quoted(Name)} has no level" : null;

    public bool Equals(CategoryColumn? other) => base.Equals(other) && Missing == other.Missing && Other == other.Other
        && Vector == other.Vector && Levels.SequenceEqual(other.Levels);

    public override int GetHashCode() => HashCode.Combine(Name, Levels.Count, Vector);

    /// <summary>By value if all are numbers, by code points' order otherwise.</summary>
    internal static string[] Ordered(IEnumerable<string> levels)
    {
        var texts = levels.ToArray();
        var values = Array.ConvertAll(texts, text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? value : double.NaN);
        var numeric = !values.Any(double.IsNaN);
        return [.. texts.Zip(values).OrderBy(level => numeric ? level.Second : 0).ThenBy(level => level.First, StringComparer.Ordinal).Select(level => level.First)];
    }

    /// <summary>The place of each text that is no unknown level: of the levels, and of the words for a missing cell.</summary>
    internal IEnumerable<KeyValuePair<string, int>> Places()
    {
        var missing = Missing ? Levels.Count : OtherPlace;
        return [.. MissingCells.Texts.Select(text => KeyValuePair.Create(text, missing)), .. Spellings.Places(Levels)];
    }

    private int Place(Cell cell)
    {
        if (cell.IsMissing) return Missing ? Levels.Count : OtherPlace;
        var buffer = s_text ??= new char[64];
        var text = cell.Text(ref buffer);
        s_text = buffer;
        return _places.TryGetValue(text, out var place) ? place : OtherPlace;
    }
}
