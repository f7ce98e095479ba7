using DistributedEnsemble.Training.Predictions.EarlyExit;

namespace DistributedEnsemble.Training.Tests.Predictions.EarlyExit;

public sealed class BinomialTests
{
    [Theory]
    [InlineData(0, 10, 0.5, 0.0009765625)]
    [InlineData(2, 4, 0.5, 0.6875)]
    [InlineData(4, 4, 0.9, 1)]
    [InlineData(3, 6000, 0.001, 0.151070)]
    [InlineData(50, 100, 0.5, 0.539795)]
    public void The_share_of_draws_with_few_successes(int k, int n, double probability, double expected) =>
        Assert.Equal(expected, Binomial.AtMost(k, n, probability), 1e-6);
}
