using DistributedEnsemble.Training.Members;

namespace DistributedEnsemble.Benchmarks.Steps;

/// <summary>What a lane does: flat weights, masks and batch order from Philox, metrics where they are logged.</summary>
internal sealed class LibraryLoop(TrainingPlan plan, int member) : IStepLoop
{
    private readonly MemberTraining _training = new(plan, member);

    public bool HasEnded => _training.HasEnded;

    public void Step() => _training.Advance();

    public void Dispose() => _training.Dispose();
}
