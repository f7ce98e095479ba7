using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Client.Tests.Rendering;

/// <summary>Runs as views see them.</summary>
internal static class Statuses
{
    public static RunStatus Of(RunState state, params MemberStatus[] members) => new()
    {
        Run = "digits-1", Id = Guid.Empty, State = state, StepsTotal = 1000L * members.Length, Steps = members.Sum(member => (long)member.Step),
        Members = [.. members],
    };

    public static MemberStatus Waiting(int index, int step = 0) => new() { Index = index, State = MemberState.Waiting, Step = step, StepsTotal = 1000 };

    public static MemberStatus Training(int index, int step, int attempt = 1) => new()
    {
        Index = index, State = MemberState.Training, Silo = "10.0.0.2:11111", Lane = index, Attempt = attempt, Step = step,
        Loss = step == 0 ? null : 0.25, StepsPerSecond = step == 0 ? 0 : 100, StepsTotal = 1000,
    };

    public static MemberStatus Completed(int index) => new()
    {
        Index = index, State = MemberState.Completed, Silo = "10.0.0.2:11111", Attempt = 1, Step = 1000, Loss = 0.125, StepsTotal = 1000, FinalStep = 1000,
    };

    public static async IAsyncEnumerable<ProgressFrame> Frames(params RunStatus[] statuses)
    {
        foreach (var status in statuses) yield return new ProgressFrame(status);
        await Task.CompletedTask;
    }
}
