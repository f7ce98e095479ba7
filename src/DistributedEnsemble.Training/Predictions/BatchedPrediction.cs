using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training;

/// <summary>
/// Predicts many rows in batches of one size and order: a row's bits depend on its batch, and memory on the batch's size.
/// </summary>
public static class BatchedPrediction
{
    public const int BatchSize = 512;

    /// <param name="start">A multiple of <see cref="BatchSize"/>, so that every part of the data gives the bits of the whole.</param>
    /// <returns>[count, width].</returns>
    public static double[] OfRows(IPredictor predictor, Samples samples, int start, int count) =>
        Predict(predictor, samples.Inputs.narrow(0, start, count));

    /// <summary>Rows as a client has them: the dataset's preprocessing is applied.</summary>
    /// <param name="raw">[rows, …input shape], row after row.</param>
    /// <returns>[rows, width].</returns>
    public static double[] OfRaw(IPredictor predictor, IReadOnlyList<long> inputShape, Preprocessing preprocessing, ReadOnlySpan<float> raw)
    {
        var features = (int)inputShape.Aggregate(1L, (product, size) => product * size);
        if (raw.Length < features) return [];
        using var inputs = empty([raw.Length / features, .. inputShape]);
        raw.CopyTo(MemoryMarshal.Cast<byte, float>(inputs.bytes));
        using var preprocessed = preprocessing.Apply(inputs);
        return OfInputs(predictor, preprocessed);
    }

    /// <param name="inputs">[rows, …input shape], preprocessed.</param>
    /// <returns>[rows, width].</returns>
    /// <exception cref="OperationCanceledException">Between two batches.</exception>
    public static double[] OfInputs(IPredictor predictor, Tensor inputs, CancellationToken cancellation = default) =>
        Predict(predictor, inputs, cancellation);

    private static double[] Predict(IPredictor predictor, Tensor inputs, CancellationToken cancellation = default)
    {
        using var noGradient = no_grad();
        var count = (int)inputs.shape[0];
        var answers = new double[count * predictor.Width];
        for (var first = 0; first < count; first += BatchSize)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var rows = Math.Min(BatchSize, count - first);
            predictor.Answer(inputs.narrow(0, first, rows), answers.AsSpan(first * predictor.Width, rows * predictor.Width));
        }

        return answers;
    }
}
