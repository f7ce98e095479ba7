using System.Collections.Immutable;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using DistributedEnsemble.Predictions;

namespace DistributedEnsemble.Training.Tasks;

/// <summary>What rows of a classification are answered with.</summary>
internal static class ClassOutputs
{
    /// <summary>How outputs become predictions, in words.</summary>
    public const string Exported =
        "probabilities = sum over constituents of weight * softmax(outputs), divided by the sum of weights; dropout as at test time, or, "
        + "with monteCarloSamples above 0, the mean of softmax(outputs) over that many dropout masks";

    public static IReadOnlyList<string> Columns { get; } = ["label", "entropy", "probabilities"];

    public static OutputDescription TruthColumn { get; } = new("truth", "BYTES", []);

    public static IReadOnlyList<OutputDescription> Predictions(IReadOnlyList<string> classes) =>
    [
        new("probabilities", "FP32", [.. classes]), new("label", "BYTES", []), new("label_index", "INT64", []), new("entropy", "FP32", []),
        new("mutual_information", "FP32", []),
    ];

    /// <param name="answers">[rows, width], of an average.</param>
    public static IReadOnlyList<OutputValues> Of(Classification task, ReadOnlySpan<double> answers, bool isCalibrated)
    {
        var (rows, classes, raw) = (answers.Length / task.Width, task.Outputs, task.Probabilities(answers));
        var probabilities = isCalibrated ? task.Calibrated(raw) : raw;
        var (labels, indices, entropies, disagreement) = (new string[rows], new long[rows], new float[rows], new float[rows]);
        for (var row = 0; row < rows; row++)
        {
            var ofRow = probabilities.AsSpan(row * classes, classes);
            labels[row] = task.Classes[(int)(indices[row] = TensorPrimitives.IndexOfMax<double>(ofRow))];
            entropies[row] = (float)Training.Predictions.Uncertainty.Entropy(ofRow);
            disagreement[row] = (float)Math.Max(0, Training.Predictions.Uncertainty.Entropy(raw.AsSpan(row * classes, classes)) - answers[row * task.Width + classes]);
        }

        var numbers = new float[probabilities.Length];
        for (var i = 0; i < numbers.Length; i++) numbers[i] = (float)probabilities[i];
        return
        [
            new("probabilities") { Numbers = ImmutableCollectionsMarshal.AsImmutableArray(numbers) },
            new("label") { Texts = ImmutableCollectionsMarshal.AsImmutableArray(labels) },
            new("label_index") { Integers = ImmutableCollectionsMarshal.AsImmutableArray(indices) },
            new("entropy") { Numbers = ImmutableCollectionsMarshal.AsImmutableArray(entropies) },
            new("mutual_information") { Numbers = ImmutableCollectionsMarshal.AsImmutableArray(disagreement) },
        ];
    }

    public static OutputValues Truth(IReadOnlyList<string> classes, ReadOnlySpan<float> targets)
    {
        var texts = ImmutableArray.CreateBuilder<string>(targets.Length);
        foreach (var target in targets) texts.Add(classes[(int)target]);
        return new OutputValues(TruthColumn.Name) { Texts = texts.MoveToImmutable() };
    }
}
