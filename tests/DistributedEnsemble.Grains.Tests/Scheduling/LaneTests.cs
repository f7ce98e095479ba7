using System.Collections.Concurrent;
using DistributedEnsemble.Grains.Lanes;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Grains.Tests.Scheduling;

public sealed class LaneTests
{
    [Fact]
    public async Task Grain_calls_are_answered_while_every_lane_trains()
    {
        await using var cluster = await EnsembleCluster.StartAsync(silos: 1, lanes: Environment.ProcessorCount + 1);
        var run = await cluster.SubmitAsync(Specs.Long);
        bool AllTrain(RunStatus s) => s.Members.Count(m => m is { State: MemberState.Training, Step: > 0 }) == Environment.ProcessorCount + 1;
        await cluster.WhenAsync(run, AllTrain);

        for (var call = 0; call < 500; call++) await cluster.Scheduler.FindAsync("nobody", TestContext.Current.CancellationToken);

        // Had a lane held a grain's turn or thread, 500 answers would not have come before the training ended.
        Assert.True(AllTrain(await cluster.Coordinator(run).GetStatusAsync()));
        await cluster.Coordinator(run).StopAsync();
        await cluster.WhenAsync(run, s => s.State == RunState.Paused);
    }

    [Fact]
    public async Task Two_runs_share_the_lanes()
    {
        await using var cluster = await EnsembleCluster.StartAsync(silos: 2, lanes: 2);
        var first = await cluster.SubmitAsync(Specs.Long);
        await cluster.WhenAsync(first, s => s.Members.Count(m => m.State == MemberState.Training) == 4);
        var second = await cluster.SubmitAsync(Specs.Small.Replace("\"small\"", "\"second\""));

        await cluster.Coordinator(first).StopAsync();
        await cluster.WhenAsync(first, s => s.State == RunState.Paused);
        var status = await cluster.WhenAsync(second, s => s.HasEnded);

        Assert.Equal(Specs.Reference(Specs.Small), Specs.Of(status));
    }

    [Fact]
    public async Task A_member_with_two_threads_takes_two_lanes()
    {
        await using var cluster = await EnsembleCluster.StartAsync(silos: 1, lanes: 3);
        var run = await cluster.SubmitAsync(Specs.Long.Replace("\"members\": 6", "\"members\": 6, \"threadsPerMember\": 2"));

        var status = await cluster.WhenAsync(run, s => s.Members[0] is { State: MemberState.Training, Step: > 100 });

        Assert.Single(status.Members, m => m.State == MemberState.Training);
        await cluster.Coordinator(run).StopAsync();
        await cluster.WhenAsync(run, s => s.State == RunState.Paused);
    }

    [Fact]
    public async Task Members_with_two_threads_end_with_the_weights_of_members_with_one()
    {
        await using var cluster = await EnsembleCluster.StartAsync(silos: 2, lanes: 2);

        var status = await cluster.TrainAsync(Specs.Small.Replace("\"members\": 6", "\"members\": 6, \"threadsPerMember\": 2"));

        Assert.Equal(Specs.Reference(Specs.Small), Specs.Of(status));
    }

    /// <summary>glibc keeps memory for each thread: a thread for each member would let it grow with the members.</summary>
    [Fact]
    public async Task Members_that_follow_each_other_on_a_lane_train_on_its_one_thread()
    {
        var threads = new ConcurrentDictionary<Thread, string?>();
        await using var cluster = await EnsembleCluster.StartAsync(lanes: 2, configure: options =>
            options.Networks.Add("watched", (_, classes, _) => [new Watched(threads), new Flatten(), new Dense(classes)]));

        var status = await cluster.TrainAsync(Specs.Small.Replace("\"hidden\": [33]", "\"kind\": \"watched\""));

        Assert.Equal(RunState.Completed, status.State);
        Assert.Equal(6, status.Members.Length);
        Assert.Equal(["lane 0", "lane 1"], threads.Values.Order());
    }

    [Theory, InlineData(LanePriority.Low, 10, 0), InlineData(LanePriority.Idle, 0, 5)]
    public async Task A_lane_leaves_processors_to_others(LanePriority priority, int nice, int policy)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems have other priorities.");
        using var lane = new Lane(0, priority);
        string[] fields = [];

        await lane.RunAsync(() => fields = File.ReadAllText("/proc/thread-self/stat").Split(") ")[^1].Split(' '));

        // proc(5) counts from 1, and two fields stand before.
        Assert.Equal((nice, policy), (int.Parse(fields[19 - 3]), int.Parse(fields[41 - 3])));
    }

    [Fact]
    public async Task What_a_lane_s_work_throws_is_its_own_matter()
    {
        using var lane = new Lane(0, LanePriority.Low);
        Thread? one = null, other = null;

        var broken = await Assert.ThrowsAsync<InvalidOperationException>(() => lane.RunAsync(() =>
        {
            one = Thread.CurrentThread;
            throw new InvalidOperationException("broken");
        }));
        await lane.RunAsync(() => other = Thread.CurrentThread);

        Assert.Equal("broken", broken.Message);
        Assert.Same(one, other);
    }

    [Fact]
    public async Task A_member_whose_network_throws_fails_with_its_reason_and_the_next_run_trains()
    {
        await using var cluster = await EnsembleCluster.StartAsync(lanes: 1, configure: options =>
            options.Networks.Add("broken", (_, classes, _) => [new Broken(), new Flatten(), new Dense(classes)]));

        var status = await cluster.TrainAsync(Specs.Small.Replace("\"hidden\": [33]", "\"kind\": \"broken\""));
        var next = await cluster.TrainAsync(Specs.Small.Replace("\"small\"", "\"next\""));

        Assert.Equal((RunState.Failed, "every member failed: NotSupportedException: on purpose"), (status.State, status.Reason));
        Assert.Equal(RunState.Completed, next.State);
    }

    /// <summary>Cannot be trained.</summary>
    private sealed record Broken : Layer
    {
        public override Function Build(NetworkBuilder builder) => (_, inputs, noise) =>
            noise.IsTraining ? throw new NotSupportedException("on purpose") : inputs;
    }

    /// <summary>Notes the threads that train.</summary>
    private sealed record Watched(ConcurrentDictionary<Thread, string?> Threads) : Layer
    {
        public override Function Build(NetworkBuilder builder) => (_, inputs, noise) =>
        {
            if (noise.IsTraining) Threads.TryAdd(Thread.CurrentThread, Thread.CurrentThread.Name);
            return inputs;
        };
    }
}
