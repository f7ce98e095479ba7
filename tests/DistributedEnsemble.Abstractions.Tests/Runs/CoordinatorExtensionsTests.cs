using System.Reflection;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Abstractions.Tests.Runs;

public sealed class CoordinatorExtensionsTests
{
    [Fact]
    public async Task Whoever_waits_for_a_run_that_does_not_answer_may_give_it_up()
    {
        using var waits = new CancellationTokenSource();
        var waiting = DispatchProxy.Create<ICoordinator, SilentCoordinator>().WhenAtRestAsync(waits.Token);
        Assert.False(waiting.IsCompleted);

        await waits.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    /// <summary>Whose silo hangs.</summary>
    public class SilentCoordinator : DispatchProxy
    {
        protected override object Invoke(MethodInfo? targetMethod, object?[]? args) => new TaskCompletionSource<RunStatus>().Task;
    }
}
