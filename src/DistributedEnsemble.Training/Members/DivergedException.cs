namespace DistributedEnsemble.Training.Members;

/// <summary>A member's loss, or one of its weights, is no longer a number.</summary>
internal sealed class DivergedException : Exception
{
    private DivergedException(string what, int step, double rate)
        : base($"{what} at step {step}: most likely the learning rate, {rate:G4} there, is too high")
    {
    }

    internal static DivergedException OfLoss(int member, int step, float loss, double rate) =>
        new($"the loss of member {member} is {loss}", step, rate);

    internal static DivergedException OfWeights(int member, int step, double rate) =>
        new($"a weight of member {member} is not finite", step, rate);
}
