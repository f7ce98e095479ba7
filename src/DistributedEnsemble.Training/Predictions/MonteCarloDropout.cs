using DistributedEnsemble.Training.Tasks;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training;

/// <summary>
/// The mean over dropout masks, each the same for all rows (Gal and Ghahramani, 2016). Several masks share one forward pass,
/// as many as keep it below <see cref="MostRows"/> rows, so that memory does not grow with the number of masks.
/// </summary>
public sealed class MonteCarloDropout(
    Network network, LearningTask task, Weights weights, RandomSource random, int member, int samples) : IPredictor
{
    /// <summary>Rows of one forward pass, unless a batch alone has more.</summary>
    public const int MostRows = 4096;

    public int Width => task.Width;

    public void Answer(Tensor inputs, Span<double> answers)
    {
        var mean = new AnswerMean();
        foreach (var sample in Samples(inputs)) mean.Add(sample);
        mean.ToArray().CopyTo(answers);
    }

    /// <summary>The answers under each mask, in the order of the masks.</summary>
    /// <returns>[rows, width] of each.</returns>
    public IEnumerable<double[]> Samples(Tensor inputs)
    {
        var rows = (int)inputs.shape[0];
        var together = Math.Clamp(MostRows / Math.Max(1, rows), 1, samples);
        for (var first = 0; first < samples; first += together)
        {
            var count = Math.Min(together, samples - first);
            var answers = Sample(inputs, first, count);
            for (var i = 0; i < count; i++) yield return answers[(i * rows * Width)..((i + 1) * rows * Width)];
        }
    }

    /// <returns>[masks, rows, width].</returns>
    private double[] Sample(Tensor inputs, int first, int count)
    {
        using var scope = NewDisposeScope();
        var outputs = network.Forward(weights, inputs, new MonteCarloNoise(random, member, first, count));
        var answers = new double[count * inputs.shape[0] * Width];
        task.Answer(outputs.contiguous().Floats(), answers);
        return answers;
    }
}
