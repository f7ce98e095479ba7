using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Tests.Members;

/// <summary>The weights of member i at step t are a pure function of (spec, data, i, t).</summary>
public sealed class ExactnessTests
{
    private static readonly Lazy<string[]> Reference = new(() => [.. Enumerable.Range(0, 3).Select(member => Train(Plans.Of(Plans.Small), member))]);

    [Fact]
    public void Two_members_differ_and_two_seeds_differ()
    {
        var other = Train(Plans.Of(Plans.Small.Replace("\"seed\": 7", "\"seed\": 8")), 0);

        Assert.Equal(4, Reference.Value.Append(other).Distinct().Count());
    }

    [Fact]
    public async Task The_same_seed_in_two_processes_agrees() =>
        Assert.Equal(Reference.Value[1], await OtherProcess.TrainAsync(Plans.Small, member: 1));

    [Fact]
    public void Two_threads_on_the_same_plan_agree_with_one()
    {
        var plan = Plans.Of(Plans.Small);
        var weights = new string[3];
        Thread[] threads = [.. Enumerable.Range(0, 3).Select(member => new Thread(() => weights[member] = Train(plan, member)))];
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();

        Assert.Equal(Reference.Value, weights);
    }

    [Fact]
    public void The_sequential_run_trains_the_same_weights()
    {
        var snapshots = EnsembleTraining.Run(Plans.Of(Plans.Small), cancellation: TestContext.Current.CancellationToken);

        Assert.Equal(Reference.Value, snapshots.Select(snapshot => snapshot.Weights.Sha256()));
        foreach (var snapshot in snapshots) snapshot.Weights.Dispose();
    }

    /// <summary>Arrays of odd sizes move whatever the library keeps on the managed heap to other addresses mod 64.</summary>
    [Fact]
    public void A_shifted_heap_changes_nothing()
    {
        var expected = Reference.Value[2];
        var ballast = Enumerable.Range(1, 2000).Select(i => new byte[(i * 37 % 5000) + 1]).ToList();
        GC.Collect();

        Assert.Equal(expected, Train(Plans.Of(Plans.Small), 2));
        GC.KeepAlive(ballast);
    }

    [Fact]
    public void Giving_way_four_times_a_step_on_the_own_thread_changes_nothing()
    {
        var plan = Plans.Of(Plans.Small);
        var (times, thread) = (0, Environment.CurrentManagedThreadId);

        var weights = Train(plan, 0, () =>
        {
            Assert.Equal(thread, Environment.CurrentManagedThreadId);
            times++;
            Thread.Yield();
        });

        Assert.Equal(Reference.Value[0], weights);
        Assert.Equal(4 * plan.Steps, times);
    }

    private static string Train(TrainingPlan plan, int member, Action? giveWay = null)
    {
        set_num_threads(1);
        using var training = new MemberTraining(plan, member, giveWay: giveWay);
        return training.TrainTo(plan, plan.Steps);
    }
}
