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
            while (training.Step < plan.Steps)
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

    private static string Sha256(MemberTraining training)
    {
        using var weights = training.CopyWeights();
        return weights.Sha256();
    }
}
