namespace DistributedEnsemble.Training;

/// <summary>A member's loss is no longer a number.</summary>
public sealed class DivergedException(int member, int step, float loss, double rate) : Exception(
    $"the loss of member {member} is {loss} at step {step}: most likely the learning rate, {rate:G4} there, is too high");
