using System.Numerics;

namespace DistributedEnsemble.Training.Predictions;

/// <summary>
/// Forward selection with replacement (Caruana et al., "Ensemble selection from libraries of models", ICML 2004, section 2.1):
/// from an empty ensemble, each round adds the candidate that makes the average's negative log-likelihood on the validation
/// split smallest, one chosen before included; of the nested ensembles that arise, the best is kept. Among equals the earlier
/// candidate and the smaller ensemble win. Neither sorted initialization nor bagging is used.
/// </summary>
internal static class GreedySelection
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

    /// <summary>
    /// Selects where candidates may not say of all rows. Those that have no row in common, as members of different folds, cannot be
    /// compared: each such group is selected among by itself, and all groups together count alike, to a hundredth.
    /// </summary>
    /// <inheritdoc cref="Select"/>
    public static int[] SelectInGroups(IReadOnlyList<double[]> likelihoods, double[] prior)
    {
        var multiplicities = new int[likelihoods.Count];
        var groups = Groups(likelihoods);
        foreach (var group in groups)
        {
            var times = Select([.. group.Select(candidate => likelihoods[candidate])], prior);
            var all = times.Sum();
            foreach (var (candidate, count) in group.Zip(times))
                multiplicities[candidate] = groups.Count == 1 || count == 0 ? count : Math.Max(1, (int)Math.Round((double)Rounds * count / all));
        }

        var divisor = (int)multiplicities.Aggregate(BigInteger.Zero, (common, count) => BigInteger.GreatestCommonDivisor(common, count));
        return groups.Count == 1 ? multiplicities : [.. multiplicities.Select(count => count / divisor)];
    }

    /// <summary>Candidates that are linked by rows of which both may say, each group by ascending candidates.</summary>
    private static List<int[]> Groups(IReadOnlyList<double[]> likelihoods)
    {
        int[] first = [.. Enumerable.Range(0, likelihoods.Count)];
        for (var row = 0; row < likelihoods[0].Length; row++)
        {
            var linked = -1;
            for (var candidate = 0; candidate < first.Length; candidate++)
            {
                if (double.IsNaN(likelihoods[candidate][row])) continue;
                if (linked >= 0 && first[candidate] != first[linked])
                {
                    var (low, high) = (Math.Min(first[candidate], first[linked]), Math.Max(first[candidate], first[linked]));
                    for (var other = 0; other < first.Length; other++) if (first[other] == high) first[other] = low;
                }

                linked = candidate;
            }
        }

        return [.. Enumerable.Range(0, first.Length).GroupBy(candidate => first[candidate]).Select(group => group.ToArray())];
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
