using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training.Tests.Kernels;

public sealed class ExactlyTests
{
    [Fact]
    public void Cosines_are_those_of_the_library()
    {
        for (var i = 0; i <= 10_000; i++) Assert.Equal(Math.Cos(Math.PI * i / 10_000), Exactly.CosineOfHalfTurns(i / 10_000.0), 1e-15);
        Assert.Equal((1, 0, -1), (Exactly.CosineOfHalfTurns(0), Exactly.CosineOfHalfTurns(0.5), Exactly.CosineOfHalfTurns(1)));
    }

    [Theory]
    [InlineData(0.9)]
    [InlineData(0.999)]
    [InlineData(0.5)]
    [InlineData(0)]
    public void Powers_are_those_of_the_library(double x)
    {
        for (var n = 0; n < 10_000; n = (2 * n) + 1) Assert.Equal(Math.Pow(x, n), Exactly.Power(x, n), 1e-13 * Math.Pow(x, n));
    }

    [Theory]
    [InlineData(0.9)]
    [InlineData(0.999)]
    [InlineData(1 - 1e-12)]
    [InlineData(0)]
    public void What_a_power_lacks_of_one_keeps_its_digits(double d)
    {
        for (var n = 1; n < 1_000_000; n = (3 * n) + 1)
        {
            // (1 − d^n) = −expm1(n·log1p(−(1 − d))), in as many digits as decimal has for the nearly equal.
            var exact = d == 0 ? 1 : 1 - Math.Pow(d, n);
            if (exact < 1e-5) exact = n * (1 - d) * (1 - ((n - 1) * (1 - d) / 2));
            Assert.Equal(exact, Exactly.OneMinusPower(d, n), 1e-10 * exact);
        }
    }
}
