using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Training.Tests.Predictions;

public sealed class UncertaintyTests
{
    [Fact]
    public void Entropy_is_0_where_one_class_is_certain_and_the_logarithm_of_their_number_where_all_are_equal()
    {
        Assert.Equal(0, Uncertainty.Entropy([0, 1, 0]));
        Assert.Equal(Math.Log(4), Uncertainty.Entropy([.25, .25, .25, .25]), 1e-15);
        // Rounded probabilities may sum to a little over 1.
        Assert.Equal(0, Uncertainty.Entropy([0, 1 + 1e-9]));
    }
}
