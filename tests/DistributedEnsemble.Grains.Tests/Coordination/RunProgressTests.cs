using Microsoft.Extensions.Time.Testing;

namespace DistributedEnsemble.Grains.Tests.Coordination;

public sealed class RunProgressTests
{
    [Fact]
    public void Seconds_count_on_when_a_coordinator_comes_back_while_its_members_train()
    {
        var time = new FakeTimeProvider();
        var progress = new RunProgress(RunKey.New("run"), time);
        var member = new MemberRecord { Index = 0, State = MemberState.Training, Attempt = 1 };

        progress.Start(new RunRecord { TrainSeconds = 5, Members = [member] });
        progress.Report(new MemberProgress(new MemberAttempt(0, 1), 0, 10, null, 1));
        time.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal(8, progress.TrainSeconds);
    }
}
