using DistributedEnsemble.Training.Data;

namespace DistributedEnsemble.Training.Predictions;

/// <summary>
/// Predicts many rows in batches of one size and order. On kernels of our own a row's bits do not depend on its batch; on
/// libtorch they do.
/// </summary>
internal static class BatchedPrediction
{
    public const int BatchSize = 512;

    /// <param name="start">A multiple of <see cref="BatchSize"/>, so that every part of the data gives the bits of the whole.</param>
    /// <returns>[count, width].</returns>
    /// <exception cref="OperationCanceledException">Between two batches.</exception>
    /// <exception cref="DataException">Rows cannot be read.</exception>
    public static double[] OfRows(IPredictor predictor, Samples samples, int start, int count, CancellationToken cancellation = default)
    {
        var (answers, copy) = (new double[count * predictor.Width], samples.RoomFor(Math.Min(count, BatchSize)));
        for (var first = 0; first < count; first += BatchSize)
        {
            cancellation.ThrowIfCancellationRequested();
            var rows = Math.Min(BatchSize, count - first);
            predictor.Answer(samples.InputsOf(start + first, rows, copy), answers.AsSpan(first * predictor.Width, rows * predictor.Width));
        }

        return answers;
    }

    /// <param name="inputs">[rows, width of the inputs], preprocessed.</param>
    /// <returns>[rows, width].</returns>
    /// <exception cref="OperationCanceledException">Between two batches.</exception>
    public static double[] Of(IPredictor predictor, ReadOnlySpan<float> inputs, int inputWidth, CancellationToken cancellation = default)
    {
        var count = inputWidth == 0 ? 0 : inputs.Length / inputWidth;
        var answers = new double[count * predictor.Width];
        for (var first = 0; first < count; first += BatchSize)
        {
            cancellation.ThrowIfCancellationRequested();
            var rows = Math.Min(BatchSize, count - first);
            predictor.Answer(
                inputs.Slice(first * inputWidth, rows * inputWidth), answers.AsSpan(first * predictor.Width, rows * predictor.Width));
        }

        return answers;
    }
}
