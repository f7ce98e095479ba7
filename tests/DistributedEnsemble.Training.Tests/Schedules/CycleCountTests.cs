using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Training.Tests.Schedules;

public sealed class CycleCountTests
{
    [Theory]
    [InlineData(
        """{ "training": { "epochs": 1, "batchSize": 500, "schedule": { "kind": "cyclic-cosine", "cycles": 4 } } }""",
        "training.schedule.cycles is 4: a member has only 3 steps. Take fewer cycles or train longer.")]
    [InlineData(
        """{ "training": { "epochs": 1, "batchSize": 500, "schedule": { "kind": "cyclic-cosine", "cycles": 4 } }, "snapshots": null }""",
        "training.schedule.cycles is 4: a member has only 3 steps. Take fewer cycles or train longer.")]
    [InlineData(
        """{ "training": { "epochs": 1, "batchSize": 500 }, "snapshots": { "perMember": 4 } }""",
        "snapshots.perMember is 4: a member has only 3 steps. Take fewer snapshots or train longer.")]
    public void More_cycles_or_snapshots_than_steps_are_refused(string spec, string error) =>
        Assert.Equal(error, Assert.Throws<SpecException>(() => Plans.Of(spec)).Message);

    [Fact]
    public void As_many_cycles_as_steps_restart_at_every_step()
    {
        var plan = Plans.Of(
            """{ "training": { "epochs": 1, "batchSize": 500, "schedule": { "kind": "cyclic-cosine", "cycles": 3, "learningRate": 0.2 } } }""");

        Assert.Equal([0.2, 0.2, 0.2], Enumerable.Range(1, 3).Select(plan.Of(0).LearningRate.At));
        Assert.Equal([1, 2, 3], plan.Of(0).SnapshotSteps.Order());
    }
}
