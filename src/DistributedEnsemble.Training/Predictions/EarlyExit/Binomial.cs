namespace DistributedEnsemble.Training.Predictions.EarlyExit;

/// <summary>The binomial distribution.</summary>
internal static class Binomial
{
    /// <summary>P(X ≤ k) of n draws that each succeed with a probability: Clopper and Pearson's upper bound is where it is 1 − confidence.</summary>
    /// <param name="probability">Above 0 and below 1.</param>
    public static double AtMost(int k, int n, double probability)
    {
        if (k >= n) return 1;
        // Term by term, each from the one before, in logarithms: the first is far below the smallest double.
        var (odds, logarithm, sum) = (Math.Log(probability) - Math.Log(1 - probability), n * Math.Log(1 - probability), 0.0);
        for (var i = 0; i <= k; i++)
        {
            sum += Math.Exp(logarithm);
            logarithm += Math.Log((double)(n - i) / (i + 1)) + odds;
        }

        return Math.Min(1, sum);
    }
}
