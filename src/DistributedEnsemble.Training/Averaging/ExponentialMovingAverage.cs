using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Training.Averaging;

/// <summary>
/// θ̄ ← θ̄ + share·(θ − θ̄), element by element in double and rounded once to float32: parameters and the statistics of batch
/// norm alike (Polyak and Juditsky, 1992; the EMA of weights as in Tarvainen and Valpola, 2017).
/// </summary>
public static class ExponentialMovingAverage
{
    /// <param name="average">θ̄, overwritten.</param>
    /// <param name="weights">θ, as long.</param>
    /// <param name="share">From 0 to 1; 1 takes the weights as they are.</param>
    public static void Fold(Span<float> average, ReadOnlySpan<float> weights, double share)
    {
        if (share == 1)
        {
            weights.CopyTo(average);
            return;
        }

        for (var i = 0; i < average.Length; i++) average[i] = (float)(average[i] + share * ((double)weights[i] - average[i]));
    }

    /// <inheritdoc cref="Fold(Span{float}, ReadOnlySpan{float}, double)"/>
    public static void Fold(Weights average, Weights weights, double share)
    {
        Fold(average.Parameters.Span, weights.Parameters.Span, share);
        Fold(average.Statistics.Span, weights.Statistics.Span, share);
    }
}
