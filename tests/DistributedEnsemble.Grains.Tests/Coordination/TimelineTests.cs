using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Tests.Coordination;

/// <summary>What people read of a run that has silos that die and members that move.</summary>
public sealed class TimelineTests : IDisposable
{
    private const int Steps = 100;

    private readonly RunsFolder _runs = new();
    private readonly RunFolder _folder;
    private readonly Timeline _timeline;

    public TimelineTests()
    {
        _folder = _runs.Folder("run");
        _timeline = NewTimeline();
    }

    public void Dispose() => _runs.Dispose();

    [Fact]
    public void A_member_that_moves_left_its_silo_and_went_on()
    {
        Show(Waiting());
        Show(Training(attempt: 1, "one:1", step: 0));
        Show(Training(attempt: 1, "one:1", step: 80));
        Show(Waiting(attempt: 1, step: 90));
        Show(Training(attempt: 2, "two:2", step: 90));

        Assert.Equal(["Started", "MemberStarted one:1 0", "MemberLeft one:1 90", "MemberWentOn two:2 90"], Lines());
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public void A_member_whose_silo_died_lost_it_and_is_not_said_to_have_left_it(bool isSeenWaiting, bool isSeenBefore)
    {
        Show(Training(attempt: 1, "one:1", step: 5));
        _timeline.Lost(0, "one:1");
        // A status from before the loss may be on its way.
        if (isSeenBefore) Show(Training(attempt: 1, "one:1", step: 5));
        if (isSeenWaiting) Show(Waiting(attempt: 1, step: 5));
        Show(Training(attempt: 2, "two:2", step: 5));
        Show(Waiting(attempt: 2, step: 7));

        Assert.Equal(["Started", "MemberStarted one:1 5", "MemberLost one:1", "MemberWentOn two:2 5", "MemberLeft two:2 7"], Lines());
    }

    [Fact]
    public void Who_goes_on_with_a_run_appends_to_what_the_last_one_wrote()
    {
        var status = Show(Training(attempt: 1, "one:1", step: 5));
        _folder.Write(RunFolder.StatusFile, Encoding.UTF8.GetBytes(RunStatusJson.ToJson(status)));

        var next = NewTimeline();
        next.Append(status);
        next.Append(status with { State = RunState.Paused, Reason = "stopped" });

        Assert.Equal(["Started", "MemberStarted one:1 5", "Paused"], Lines());
    }

    private Timeline NewTimeline() => new(_folder, TimeProvider.System);

    private RunStatus Show(MemberStatus member)
    {
        var status = new RunStatus { Run = "run", Id = Guid.Empty, State = RunState.Running, Steps = member.Step, StepsTotal = Steps, Members = [member with { StepsTotal = Steps }] };
        _timeline.Append(status);
        return status;
    }

    private ImmutableArray<string> Lines() =>
    [
        .. _folder.ReadAllText(RunFolder.TimelineFile).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonSerializer.Deserialize<RunHappening>(line, RunStatusJson.Options)!)
            .Select(one => string.Join(' ', new object?[] { one.Kind, one.Silo, one.Step }.OfType<object>())),
    ];

    private static MemberStatus Waiting(int attempt = 0, int step = 0) => new() { Index = 0, State = MemberState.Waiting, Attempt = attempt, Step = step };

    private static MemberStatus Training(int attempt, string silo, int step) =>
        new() { Index = 0, State = MemberState.Training, Attempt = attempt, Silo = silo, Lane = 0, Step = step };
}
