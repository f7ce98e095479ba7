using static TorchSharp.torch;

namespace DistributedEnsemble.Training;

/// <summary>
/// The mean over dropout masks, each the same for all rows (Gal and Ghahramani, 2016). Several masks share one forward pass,
/// as many as keep it below <see cref="MostRows"/> rows, so that memory does not grow with the number of masks.
/// </summary>
public sealed class MonteCarloDropout(Network network, Weights weights, RandomSource random, int member, int samples) : IPredictor
{
    /// <summary>Rows of one forward pass, unless a batch alone has more.</summary>
    public const int MostRows = 4096;

    public Tensor Predict(Tensor inputs)
    {
        using var scope = NewDisposeScope();
        var sum = Sum(inputs, probabilities => probabilities);
        return sum.div_(samples).MoveToOuterDisposeScope();
    }

    public Answer Answer(Tensor inputs)
    {
        using var scope = NewDisposeScope();
        // The entropy of a sample travels as one more class, so that one pass sums both.
        var sums = Sum(inputs, probabilities => cat([probabilities, Training.Answer.EntropyOf(probabilities).unsqueeze(-1)], -1));
        var means = sums.div_(samples);
        var classes = means.shape[1] - 1;
        return new Answer(
            means.narrow(1, 0, classes).contiguous().MoveToOuterDisposeScope(),
            means.narrow(1, classes, 1).flatten().MoveToOuterDisposeScope());
    }

    /// <summary>The probabilities under each mask, some masks at a time.</summary>
    /// <returns>[masks, batch, classes], together all samples in their order; the caller disposes each.</returns>
    public IEnumerable<Tensor> Samples(Tensor inputs)
    {
        var batch = inputs.shape[0];
        var together = (int)Math.Clamp(MostRows / Math.Max(1, batch), 1, samples);
        for (var first = 0; first < samples; first += together) yield return Sample(inputs, first, Math.Min(together, samples - first));
    }

    private Tensor Sample(Tensor inputs, int first, int count)
    {
        using var scope = NewDisposeScope();
        var scores = network.Forward(weights, inputs, new MonteCarloNoise(random, member, first, count));
        return scores.softmax(1).view(count, inputs.shape[0], -1).MoveToOuterDisposeScope();
    }

    private Tensor Sum(Tensor inputs, Func<Tensor, Tensor> measure)
    {
        Tensor? sum = null;
        foreach (var probabilities in Samples(inputs))
        {
            using var scope = NewDisposeScope();
            using (probabilities)
            {
                var part = measure(probabilities).sum(dim: 0);
                if (sum is null) sum = part.MoveToOuterDisposeScope();
                else sum.add_(part);
            }
        }

        return sum!;
    }
}
