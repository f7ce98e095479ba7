namespace DistributedEnsemble.Training;

/// <summary>
/// Forward selection with replacement (Caruana et al., "Ensemble selection from libraries of models", ICML 2004, section 2.1):
/// from an empty ensemble, each round adds the candidate that makes the average's negative log-likelihood on the validation
/// split smallest, one chosen before included; of the nested ensembles that arise, the best is kept. Among equals the earlier
/// candidate and the smaller ensemble win. Neither sorted initialization nor bagging is used.
/// </summary>
public static class GreedySelection
{
    /// <summary>Models of the largest ensemble that is tried: weights are multiples of a hundredth or coarser.</summary>
    public const int Rounds = 100;

    /// <summary>A larger ensemble that is better by no more than this is the same one, summed differently.</summary>
    private const double Rounding = 1e-12;

    /// <param name="likelihoods">Of each candidate, how likely it makes the target of each validation row; not a number where it may not say.</param>
    /// <param name="prior">How likely the targets are where no chosen candidate may say; null where all candidates may say all.</param>
    /// <returns>How often each candidate counts; at least one does.</returns>
    public static int[] Select(IReadOnlyList<double[]> likelihoods, double[]? prior = null)
    {
        var (sum, counts) = (new double[likelihoods[0].Length], new int[likelihoods[0].Length]);
        var (chosen, best) = (new List<int>(), (Nll: double.PositiveInfinity, Size: 0));
        for (var round = 1; round <= Rounds; round++)
        {
            var (nll, candidate) = Enumerable.Range(0, likelihoods.Count).Select(i => (Nll(sum, counts, likelihoods[i], prior), i)).Min();
            for (var row = 0; row < sum.Length; row++)
            {
                if (double.IsNaN(likelihoods[candidate][row])) continue;
                sum[row] += likelihoods[candidate][row];
                counts[row]++;
            }

            chosen.Add(candidate);
            if (nll < best.Nll - Rounding) best = (nll, round);
        }

        var multiplicities = new int[likelihoods.Count];
        foreach (var candidate in chosen.Take(best.Size)) multiplicities[candidate]++;
        return multiplicities;
    }

    /// <summary>Of the average of a sum and one more model; a likelihood that underflowed counts as the smallest there is.</summary>
    private static double Nll(double[] sum, int[] counts, double[] added, double[]? prior)
    {
        var nll = 0.0;
        for (var row = 0; row < sum.Length; row++)
        {
            var likelihood = !double.IsNaN(added[row]) ? (sum[row] + added[row]) / (counts[row] + 1) : counts[row] > 0 ? sum[row] / counts[row] : prior![row];
            nll -= Math.Log(Math.Max(likelihood, float.Epsilon));
        }

        return nll / sum.Length;
    }
}
