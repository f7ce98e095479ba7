using DistributedEnsemble.Randomness;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Randomness;

namespace DistributedEnsemble.Training.Tests.Predictions;

public sealed class GreedySelectionTests
{
    [Fact]
    public void A_model_that_is_better_on_every_row_is_taken_alone() =>
        Assert.Equal([0, 1, 0], GreedySelection.Select([[0.2, 0.3], [0.9, 0.8], [0.5, 0.5]]));

    [Fact]
    public void Among_equals_the_earlier_candidate_and_the_smaller_ensemble_win() =>
        Assert.Equal([1, 0, 0], GreedySelection.Select([[0.5, 0.5], [0.5, 0.5], [0.5, 0.5]]));

    [Fact]
    public void Models_that_are_right_on_different_rows_are_mixed_in_the_best_proportion()
    {
        // With weight w of the first, the likelihoods are 0.9w + 0.1(1−w) three times and 0.1w + 0.9(1−w) once:
        // the derivative of 3·ln(0.1 + 0.8w) + ln(0.9 − 0.8w) is 0 at w = 2.6/3.2.
        var chosen = GreedySelection.Select([[0.9, 0.9, 0.9, 0.1], [0.1, 0.1, 0.1, 0.9]]);

        Assert.Equal(0.8125, chosen[0] / (double)chosen.Sum(), 0.01);
    }

    [Fact]
    public void The_result_is_never_worse_than_the_best_candidate_and_always_the_same()
    {
        var random = new RandomSource(5);
        for (var trial = 0u; trial < 20; trial++)
        {
            var likelihoods = Enumerable.Range(0, 7).Select(candidate =>
            {
                var values = new float[40];
                random.Uniform(new Draw(Purpose.MonteCarlo, candidate, trial, 0), values);
                return Array.ConvertAll(values, value => (double)value);
            }).ToList();

            var chosen = GreedySelection.Select(likelihoods);

            Assert.Equal(chosen, GreedySelection.Select(likelihoods));
            Assert.InRange(chosen.Sum(), 1, GreedySelection.Rounds);
            Assert.True(Nll(likelihoods, chosen) <= likelihoods.Select((_, i) => Nll(likelihoods, [.. likelihoods.Select((_, j) => i == j ? 1 : 0)])).Min());
            Assert.True(Nll(likelihoods, chosen) <= Nll(likelihoods, [.. likelihoods.Select(_ => 1)]) + 1e-3, "The uniform average is among what can be chosen.");
        }
    }

    [Fact]
    public void A_likelihood_of_zero_is_no_infinity() => Assert.Equal([0, 1], GreedySelection.Select([[0, 0], [0, 0.1]]));

    [Fact]
    public void Candidates_that_meet_through_a_third_are_weighed_together()
    {
        // The first and the second say of no row together; the third says of one of each. The second is worse than its prior.
        double[][] likelihoods = [[0.9, 0.9, double.NaN, double.NaN], [double.NaN, double.NaN, 0.01, 0.01], [double.NaN, 0.9, 0.9, double.NaN]];
        double[] prior = [0.5, 0.5, 0.5, 0.5];

        var chosen = GreedySelection.SelectInGroups(likelihoods, prior);

        Assert.Equal(0, chosen[1]);
        Assert.Equal(GreedySelection.Select(likelihoods, prior), chosen);
    }

    private static double Nll(List<double[]> likelihoods, int[] multiplicities) => -Enumerable.Range(0, likelihoods[0].Length)
        .Average(row => Math.Log(likelihoods.Zip(multiplicities, (values, times) => values[row] * times).Sum() / multiplicities.Sum()));
}
