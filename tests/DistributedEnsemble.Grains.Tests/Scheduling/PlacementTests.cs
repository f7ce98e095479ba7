using System.Collections.Immutable;

namespace DistributedEnsemble.Grains.Tests.Scheduling;

public sealed class PlacementTests
{
    [Fact]
    public void Members_go_to_silos_that_have_their_data_and_to_no_others()
    {
        var run = Run("clothes", MemberState.Waiting, MemberState.Waiting);
        SiloReport[] silos = [Silo("1", datasets: ["digits"]), Silo("2", datasets: ["clothes", "digits"])];

        Assert.Equal("2", Placement.Next([run], silos)?.Silo.Silo);
        Assert.Null(Placement.Next([run], [silos[0]]));
        // A file is in the store, for every silo.
        run.Dataset = null;
        Assert.Equal("1", Placement.Next([run], [silos[0]])?.Silo.Silo);
    }

    [Fact]
    public void A_silo_with_the_data_takes_every_member_when_the_others_have_it_not()
    {
        var run = Run("clothes", MemberState.Completed, MemberState.Waiting);
        SiloReport[] silos = [Silo("1", datasets: []), Silo("2", datasets: ["clothes"])];

        Assert.Equal("2", Placement.Next([run], silos)?.Silo.Silo);
    }

    [Fact]
    public void No_member_moves_to_a_silo_without_its_data()
    {
        var run = Run("clothes", MemberState.Training, MemberState.Training);
        var uses = ImmutableArray.Create(new LaneUse(run.Run, new MemberAttempt(0, 1), 1), new LaneUse(run.Run, new MemberAttempt(1, 1), 1));
        var full = Silo("2", datasets: ["clothes"]) with { Uses = uses };

        Assert.Null(Placement.Move([run], [full, Silo("1", datasets: ["digits"])]));
        Assert.NotNull(Placement.Move([run], [full, Silo("1", datasets: ["clothes"])]));
    }

    /// <summary>A run whose members that are not waiting are on silo 2.</summary>
    private static ActiveRun Run(string dataset, params MemberState[] members)
    {
        var key = RunKey.New("run");
        return new ActiveRun(key)
        {
            Threads = 1,
            Dataset = dataset,
            Status = new RunStatus
            {
                Run = key.Name,
                Id = key.Id,
                State = RunState.Running,
                Members = [.. members.Select((state, index) => new MemberStatus { Index = index, State = state, Attempt = 1, Silo = state == MemberState.Waiting ? null : "2" })],
            },
        };
    }

    private static SiloReport Silo(string name, ImmutableArray<string> datasets) => new(name, name, 2, new MachineInfo("", "", ""), datasets, []);
}
