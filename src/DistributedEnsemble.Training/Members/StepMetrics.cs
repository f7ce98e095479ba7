using System.Text.Json;

namespace DistributedEnsemble.Training;

/// <summary>A line of metrics.jsonl: how one step went, measured on its batch before the update.</summary>
/// <param name="Epoch">Passes over the training rows, step included.</param>
/// <param name="LearningRate">α(t).</param>
/// <param name="Loss">Mean cross-entropy of the batch, natural logarithm.</param>
/// <param name="L2">The term λ·Σw² that is added to the loss.</param>
/// <param name="Accuracy">Share of the batch whose highest score is right.</param>
public sealed record StepMetrics(int Step, double Epoch, double LearningRate, float Loss, double L2, double Accuracy)
{
    /// <summary>One line of JSON, ended by a line feed.</summary>
    public string ToLine() => JsonSerializer.Serialize(this, JsonSerializerOptions.Web) + "\n";

    /// <summary>The last of some lines; null if there is none.</summary>
    public static StepMetrics? LastOf(string lines)
    {
        var last = lines.AsSpan().TrimEnd('\n');
        return last.IsEmpty ? null : JsonSerializer.Deserialize<StepMetrics>(last[(last.LastIndexOf('\n') + 1)..], JsonSerializerOptions.Web);
    }

    /// <summary>Those of some lines that belong to later steps.</summary>
    public static string LinesAfter(int step, string lines) => string.Concat(
        lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => LastOf(line)!.Step > step).Select(line => line + "\n"));
}
