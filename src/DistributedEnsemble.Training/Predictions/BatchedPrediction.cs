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
    /// <returns>[count, classes], row after row.</returns>
    public static float[] OfRows(IPredictor predictor, Samples samples, int start, int count) =>
        Predict(count, (first, rows) => predictor.Predict(samples.Inputs.narrow(0, start + first, rows)));

    /// <summary>Rows as a client has them: the dataset's preprocessing is applied.</summary>
    /// <param name="raw">[rows, …input shape], row after row.</param>
    public static float[] OfRaw(IPredictor predictor, IReadOnlyList<long> inputShape, Preprocessing preprocessing, ReadOnlySpan<float> raw)
    {
        var features = (int)inputShape.Aggregate(1L, (product, size) => product * size);
        if (raw.Length < features) return [];
        using var inputs = empty([raw.Length / features, .. inputShape]);
        raw.CopyTo(MemoryMarshal.Cast<byte, float>(inputs.bytes));
        using var preprocessed = preprocessing.Apply(inputs);
        return Predict(raw.Length / features, (first, rows) => predictor.Predict(preprocessed.narrow(0, first, rows)));
    }

    private static float[] Predict(int count, Func<int, int, Tensor> predict)
    {
        using var noGradient = no_grad();
        float[]? probabilities = null;
        for (var first = 0; first < count; first += BatchSize)
        {
            using var scope = NewDisposeScope();
            var batch = predict(first, Math.Min(BatchSize, count - first)).contiguous();
            var values = MemoryMarshal.Cast<byte, float>(batch.bytes);
            probabilities ??= new float[count * (int)batch.shape[1]];
            values.CopyTo(probabilities.AsSpan(first * (int)batch.shape[1]));
        }

        return probabilities ?? [];
    }
}
