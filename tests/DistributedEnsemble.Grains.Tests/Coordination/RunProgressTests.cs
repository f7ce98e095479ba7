using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Grains.Tests.Coordination;

public sealed class RunProgressTests
{
    [Fact]
    public void Seconds_count_on_when_a_coordinator_comes_back_while_its_members_train()
    {
        var member = new MemberRecord { Index = 0, State = MemberState.Training, Attempt = 1 };

        var progress = new RunProgress().From(new RunRecord { TrainSeconds = 5, Members = [member] })
            .Reported(new MemberProgress(new MemberAttempt(0, 1), 0, 10, null, 1), TimeSpan.FromSeconds(100));

        Assert.Equal(8, progress.TrainSecondsAt(TimeSpan.FromSeconds(103)));
    }
}
