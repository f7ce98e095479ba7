using System.Collections.Immutable;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Training.Tasks;

/// <summary>
/// How strange the validation rows' targets were to an average, ascending (split-conformal prediction, Papadopoulos et al., 2002;
/// Lei et al., 2018): a set or interval of all that is no stranger than the ⌈(n+1)·c⌉-th of n holds a new row's target with a
/// probability of at least c, whatever the models are worth.
/// </summary>
/// <param name="Rows">n.</param>
/// <param name="Scores">All of them, or so many ranks of them evenly.</param>
internal sealed record ConformalScores(int Rows, ImmutableArray<double> Scores)
{
    private const int MostScores = 10_000;

    /// <param name="scores">Are sorted.</param>
    public static ConformalScores Of(double[] scores)
    {
        var sorted = scores;
        Array.Sort(sorted);
        var kept = Math.Min(sorted.Length, MostScores);
        return new ConformalScores(sorted.Length, [.. Enumerable.Range(1, kept).Select(i => sorted[Rank(i, kept, sorted.Length) - 1])]);
    }

    /// <summary>What at most a share of 1 − coverage of new rows exceeds.</summary>
    /// <exception cref="SpecException">So few rows cannot say.</exception>
    public double Threshold(double coverage)
    {
        // A product that rounding put just above a whole number is that number.
        var rank = (int)Math.Ceiling((Rows + 1) * coverage - 1e-9);
        if (rank > Rows)
        {
            throw new SpecException($"coverage is {coverage}: {Rows} validation {Plural.Of(Rows, "row")} can promise at most {Math.Floor(1000.0 * Rows / (Rows + 1)) / 1000}. "
                + "Ask for less, or train with a larger data.validationFraction.");
        }

        return Scores[Enumerable.Range(1, Scores.Length).First(i => Rank(i, Scores.Length, Rows) >= rank) - 1];
    }

    private static int Rank(int i, int kept, int rows) => (int)((long)i * rows / kept);
}
