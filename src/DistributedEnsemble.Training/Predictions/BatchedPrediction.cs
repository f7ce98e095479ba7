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
    public static RowAnswers OfRows(IPredictor predictor, Samples samples, int start, int count) =>
        Predict(count, (first, rows) => predictor.Answer(samples.Inputs.narrow(0, start + first, rows)));

    /// <summary>Rows as a client has them: the dataset's preprocessing is applied.</summary>
    /// <param name="raw">[rows, …input shape], row after row.</param>
    public static RowAnswers OfRaw(IPredictor predictor, IReadOnlyList<long> inputShape, Preprocessing preprocessing, ReadOnlySpan<float> raw)
    {
        var features = (int)inputShape.Aggregate(1L, (product, size) => product * size);
        if (raw.Length < features) return new RowAnswers([], []);
        using var inputs = empty([raw.Length / features, .. inputShape]);
        raw.CopyTo(MemoryMarshal.Cast<byte, float>(inputs.bytes));
        using var preprocessed = preprocessing.Apply(inputs);
        return OfInputs(predictor, preprocessed);
    }

    /// <param name="inputs">[rows, …input shape], preprocessed.</param>
    /// <exception cref="OperationCanceledException">Between two batches.</exception>
    public static RowAnswers OfInputs(IPredictor predictor, Tensor inputs, CancellationToken cancellation = default) =>
        Predict((int)inputs.shape[0], (first, rows) => predictor.Answer(inputs.narrow(0, first, rows)), cancellation);

    private static RowAnswers Predict(int count, Func<int, int, Answer> predict, CancellationToken cancellation = default)
    {
        using var noGradient = no_grad();
        float[] probabilities = [], entropies = new float[count];
        for (var first = 0; first < count; first += BatchSize)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var batch = predict(first, Math.Min(BatchSize, count - first));
            var classes = (int)batch.Probabilities.shape[1];
            if (first == 0) probabilities = new float[count * classes];
            batch.Probabilities.contiguous().Floats().CopyTo(probabilities.AsSpan(first * classes));
            batch.ExpectedEntropy.contiguous().Floats().CopyTo(entropies.AsSpan(first));
        }

        return new RowAnswers(probabilities, entropies);
    }
}

/// <summary>A predictor's answers to many rows.</summary>
/// <param name="Probabilities">[rows, classes], row after row.</param>
/// <param name="ExpectedEntropies">[rows], in nats, as in <see cref="Answer"/>.</param>
public readonly record struct RowAnswers(float[] Probabilities, float[] ExpectedEntropies);
