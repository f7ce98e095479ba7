using System.Text.Json.Serialization;

namespace DistributedEnsemble.Training.Tasks;

/// <summary>
/// What is predicted, described by the data: the target, the numbers that a network gives for a row, and the loss of these
/// with its gradient. Immutable; used by many threads.
/// </summary>
/// <remarks>A new task is one file and one line here.</remarks>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "name")]
[JsonDerivedType(typeof(Classification), Classification.TaskName)]
public abstract record LearningTask
{
    /// <summary>As specs, files and answers call it.</summary>
    [JsonIgnore]
    public abstract string Name { get; }

    /// <summary>The column that is predicted; null where targets have no column.</summary>
    public string? Target { get; init; }

    /// <summary>Numbers that a network gives for each row.</summary>
    [JsonIgnore]
    public abstract int Outputs { get; }

    /// <summary>Groups of rows of which the validation split takes the same share.</summary>
    [JsonIgnore]
    public abstract int Strata { get; }

    /// <summary>The group of a row, below <see cref="Strata"/>.</summary>
    public abstract int Stratum(float target);

    /// <summary>The task as a run's spec wants it.</summary>
    /// <param name="targets">Of the rows that are trained on; none for who only predicts.</param>
    /// <exception cref="SpecException">The spec does not fit the task.</exception>
    public virtual LearningTask For(EnsembleSpec spec, ReadOnlySpan<float> targets = default) => this;

    /// <summary>The mean loss of a batch, and its gradient.</summary>
    /// <param name="outputs">[rows, outputs], row after row.</param>
    /// <param name="targets">[rows].</param>
    /// <param name="gradient">[rows, outputs]: overwritten with d(mean loss)/d(outputs).</param>
    public abstract double Loss(ReadOnlySpan<float> outputs, ReadOnlySpan<float> targets, Span<float> gradient);

    /// <summary>How good a batch's outputs are, for people who watch the training.</summary>
    public abstract StepQuality Quality(ReadOnlySpan<float> outputs, ReadOnlySpan<float> targets);

    /// <summary>What is wrong with the description; null if nothing is.</summary>
    public abstract string? Fault();
}
