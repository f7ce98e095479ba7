using DistributedEnsemble.Training.Members;

namespace DistributedEnsemble.Training.Tests.Members;

public sealed class DivergenceTests
{
    [Fact]
    public void A_loss_that_is_no_number_stops_the_member_and_leaves_the_weights_as_they_were()
    {
        var plan = Plans.Of(Plans.Small.Replace("0.05", "1000"));
        using var training = new MemberTraining(plan, 2);
        var (before, step) = ("", 0);

        void Advance()
        {
            while (training.Step < plan.Of(0).Steps)
            {
                (before, step) = (Sha256(training), training.Step);
                training.Advance();
            }
        }

        var error = Assert.Throws<DivergedException>(Advance);

        Assert.Equal(before, Sha256(training));
        Assert.Equal(step, training.Step);
        Assert.Matches(
            $@"^the loss of member 2 is (NaN|Infinity) at step {step + 1}: most likely the learning rate, [0-9.]+ there, is too high$", error.Message);
    }

    /// <summary>The first pixel of every digit is 0: its weights change no loss, and L2 makes this one nine times as large.</summary>
    [Fact]
    public void A_weight_that_overflows_in_the_last_update_is_noticed_although_no_loss_is_computed_after_it()
    {
        var plan = Plans.Of(Plans.Small, ("training.batchSize", "2000"), ("training.epochs", "1"), ("regularization.l2", "100"));
        using var fresh = new MemberTraining(plan, 2);
        using var start = fresh.CopyCheckpoint();
        start.Weights.Values(plan.Of(0).Network.Layout.Tensors[0])[0] = 1e38f;
        using var training = new MemberTraining(plan, 2, start);

        training.Advance();

        Assert.Equal(plan.Of(0).Steps, training.Step);
        var error = Assert.Throws<DivergedException>(training.CopyWeights);
        Assert.Equal("a weight of member 2 is not finite at step 1: most likely the learning rate, 0.05 there, is too high", error.Message);
    }

    private static string Sha256(MemberTraining training)
    {
        using var weights = training.CopyWeights();
        return weights.Sha256();
    }
}
