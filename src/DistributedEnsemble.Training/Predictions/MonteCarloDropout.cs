using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Randomness;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Predictions;

/// <summary>
/// The mean over dropout masks, each the same for all rows (Gal and Ghahramani, 2016). Several masks share one pass, so that
/// what lies before the first dropout is computed once for them; memory does not grow with the number of masks.
/// </summary>
public sealed class MonteCarloDropout(
    Network network, LearningTask task, Weights weights, RandomSource random, int member, int samples) : IPredictor
{
    public int Width => task.Width;

    public void Answer(ReadOnlySpan<float> inputs, Span<double> answers)
    {
        var rows = answers.Length / Width;
        using var rented = network.Rent(Math.Max(rows, BatchedPrediction.BatchSize));
        var together = Math.Min(samples, rented.Rows);
        var rowsTogether = Math.Min(rows, rented.Rows / together);
        var sampled = new double[rowsTogether * together * Width];
        for (var row = 0; row < rows; row += rowsTogether)
        {
            var count = Math.Min(rowsTogether, rows - row);
            var mean = new AnswerMean();
            for (var first = 0; first < samples; first += together)
            {
                var masks = Math.Min(together, samples - first);
                var outputs = rented.Forward(weights, inputs, row, count, new MonteCarloNoise(random, member, first, masks));
                var part = sampled.AsSpan(0, masks * count * Width);
                SubmodelMean.Answer(task, network.Submodels, outputs, part);
                for (var i = 0; i < masks; i++) mean.Add(part.Slice(i * count * Width, count * Width));
            }

            mean.ToArray().CopyTo(answers[(row * Width)..]);
        }
    }
}
