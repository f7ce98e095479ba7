using System.Numerics.Tensors;
using System.Text.Json.Serialization;
using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training.Tasks;

/// <summary>
/// One of some classes: the outputs are their scores, their softmax the probabilities, and the loss is the cross-entropy. A
/// target is the class's place among the classes.
/// </summary>
/// <param name="Classes">Their texts, two or more, all different.</param>
public sealed record Classification(IReadOnlyList<string> Classes) : LearningTask
{
    public const string TaskName = "classification";

    [JsonIgnore]
    public override string Name => TaskName;

    [JsonIgnore]
    public override int Outputs => Classes.Count;

    [JsonIgnore]
    public override int Strata => Classes.Count;

    public override int Stratum(float target) => (int)target;

    /// <summary>−ln softmax(outputs)[target], natural logarithm; its gradient is softmax − one-hot.</summary>
    public override double Loss(ReadOnlySpan<float> outputs, ReadOnlySpan<float> targets, Span<float> gradient)
    {
        var loss = 0.0;
        for (var row = 0; row < targets.Length; row++)
        {
            var scores = outputs.Slice(row * Outputs, Outputs);
            var slope = gradient.Slice(row * Outputs, Outputs);
            var target = (int)targets[row];
            var (highest, sum) = (TensorPrimitives.Max(scores), 0.0);
            for (var c = 0; c < slope.Length; c++) sum += slope[c] = Elementary.Exp(scores[c] - highest);
            loss += Elementary.Log((float)sum) - (scores[target] - highest);
            for (var c = 0; c < slope.Length; c++) slope[c] = (float)((slope[c] / sum - (c == target ? 1 : 0)) / targets.Length);
        }

        return loss / targets.Length;
    }

    /// <summary>The share of rows whose highest score is right.</summary>
    public override StepQuality Quality(ReadOnlySpan<float> outputs, ReadOnlySpan<float> targets)
    {
        var right = 0;
        for (var row = 0; row < targets.Length; row++)
        {
            if (TensorPrimitives.IndexOfMax(outputs.Slice(row * Outputs, Outputs)) == (int)targets[row]) right++;
        }

        return new StepQuality("accuracy", (double)right / targets.Length);
    }

    public override string? Fault() =>
        Classes.Count < 2 || Classes.Any(name => name is null) || Classes.Distinct().Count() != Classes.Count
            ? "classes are not two or more distinct names"
            : null;

    public bool Equals(Classification? other) => other is not null && Target == other.Target && Classes.SequenceEqual(other.Classes);

    public override int GetHashCode() => HashCode.Combine(Target, Classes.Count);
}
