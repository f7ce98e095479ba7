using System.Text.Json.Serialization;

namespace DistributedEnsemble.Training.Tables;

/// <summary>
/// A column as the training rows have it, and what turns its cells into inputs of the network: fitted once, described in
/// data.json, applied to whatever comes later. Immutable; used by many threads.
/// </summary>
/// <remarks>A new kind of column is one file and one line in <see cref="ColumnKinds"/>.</remarks>
public abstract record ColumnEncoder
{
    public required string Name { get; init; }

    /// <summary>How many numbers a cell becomes; 0 of a column that is left out.</summary>
    [JsonIgnore]
    public abstract int Inputs { get; }

    /// <summary>What each of them is, for people.</summary>
    [JsonIgnore]
    public abstract IEnumerable<string> InputNames { get; }

    /// <summary>The levels and width of a column whose input is the index of a level; null of others.</summary>
    [JsonIgnore]
    public virtual (int Levels, int Width)? Embedded => null;

    /// <summary>What a cell becomes, for people; null if that is the number itself, or nothing.</summary>
    [JsonIgnore]
    public virtual string? Becomes => Inputs > 1 ? $"{Inputs} inputs: {string.Join(", ", InputNames)}" : null;

    /// <summary>Why it is left out, or what else people should know.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Note { get; init; }

    /// <summary>Writes a cell's inputs.</summary>
    /// <param name="inputs">[<see cref="Inputs"/>].</param>
    /// <returns>What is wrong with the cell; null if nothing is.</returns>
    public abstract string? Encode(Cell cell, Span<float> inputs);

    /// <summary>What is wrong with the description; null if nothing is.</summary>
    public virtual string? Fault() => null;

    /// <summary>Whether the last column of the kind is the target where nobody names one.</summary>
    internal virtual bool MayBeTarget => false;

    /// <summary>The same reading of cells, fitted on the rows that train; null where their cells alone decide.</summary>
    /// <param name="training">Of a part of the rows that this was fitted on.</param>
    internal virtual ColumnEncoder? FittedOn(ColumnSurvey training) => null;
}
