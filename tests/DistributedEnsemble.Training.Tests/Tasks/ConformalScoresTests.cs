using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tests.Tasks;

public sealed class ConformalScoresTests
{
    [Theory]
    [InlineData(99, 0.55, 55)]
    [InlineData(9, 0.9, 9)]
    [InlineData(19, 0.5, 10)]
    [InlineData(10, 0.5, 6)]
    public void The_threshold_has_the_rank_that_the_coverage_asks_of_one_row_more(int rows, double coverage, int rank) =>
        Assert.Equal(rank, ConformalScores.Of([.. Enumerable.Range(1, rows).Select(score => (double)score)]).Threshold(coverage));
}
