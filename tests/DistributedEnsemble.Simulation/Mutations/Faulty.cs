using System.Collections.Immutable;
using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Scheduling;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Simulation.Worlds;
using DistributedEnsemble.Training.Files;
using Turn = (DistributedEnsemble.Grains.Coordination.CoordinatorState State, System.Collections.Generic.IReadOnlyList<DistributedEnsemble.Grains.Coordination.RunEffect> Effects);

namespace DistributedEnsemble.Simulation.Mutations;

/// <summary>Faults that the simulation must find.</summary>
internal static class Faulty
{
    public static IReadOnlyDictionary<string, Protocol> All { get; } = new Dictionary<string, Protocol>
    {
        ["a fence is skipped"] = new Mutation((state, happened, now) => happened is Ticked ? Unfenced(state, happened, now) : RunMachine.On(state, happened, now)),
        ["a write that another one was faster than counts as written"] = new Mutation((state, happened, now) =>
            RunMachine.On(state, happened is RecordNotWritten ? new RecordWritten(state.Writing) : happened, now)),
        ["a hand-over is folded twice"] = new Mutation((state, happened, now) => After(state, happened, now, turn =>
            happened is Folded { Error: null, HandOver: var file } && turn.State.Record.Members[file.Member] is { Pending: null } member
                ? (turn.State with { Record = turn.State.Record.With(member with { Pending = file }) }, turn.Effects) : turn)),
        ["an EMA model is named before it is on the disk"] = new Mutation((state, happened, now) => After(state, happened, now, turn =>
            turn.Effects.OfType<Fold>().FirstOrDefault() is { } fold ? Then(turn, new Folded(fold.HandOver, ModelOf(fold)), now) : turn)),
        ["a stale attempt is heard"] = new Mutation((state, happened, now) => RunMachine.On(state, happened switch
        {
            CollectCalled collect => collect with { HandOver = collect.HandOver with { By = Current(state, collect.HandOver.By) } },
            CommitCalled commit => commit with { Commit = commit.Commit with { By = Current(state, commit.Commit.By) } },
            _ => happened,
        }, now)),
        ["an answer comes before the write that makes it true"] = new Mutation((state, happened, now) => After(state, happened, now, turn =>
            happened is CollectCalled or CommitCalled && turn.State.Awaiting is [.., { Then: IsCollected or IsCommitted }]
                ? (turn.State, [.. turn.Effects, new Reply(((RunCall)happened).Call, Acknowledgement.Recorded)]) : turn)),
        ["a waiting member is forgotten"] = new Mutation((state, happened, now) =>
            happened is AssignCalled assign && state.Record.Members.FirstOrDefault(member => member.State == MemberState.Waiting)?.Index == 0
                ? (state, [new Reply(assign.Call, ImmutableArray<MemberAttempt>.Empty)]) : RunMachine.On(state, happened, now)),
        ["a lost member is forgotten"] = new Mutation((state, happened, now) => happened is Ticked ticked
            ? RunMachine.On(
                state with { Watches = Chunks<MemberWatch>.Of(state.Watches.Select((watch, i) => watch with { HeardAttempt = state.Record.Members[i].Attempt, HeardAt = now })) },
                ticked with { DeadSilos = [] }, now)
            : RunMachine.On(state, happened, now)),
        ["a pending hand-over is dropped"] = new Mutation((state, happened, now) => After(state, happened, now, turn =>
            happened is CollectCalled collect && turn.State.Record.Members.Count > 0 && turn.State.Record.Members[collect.HandOver.Weights.Member] is { Pending: not null } member
                ? (turn.State with { Record = turn.State.Record.With(member with { Pending = null }) }, turn.Effects) : turn)),
        ["a file that is named is deleted"] = new Mutation((state, happened, now) => After(state, happened, now, turn =>
            happened is RecordWritten && turn.State.Record.Members.FirstOrDefault(member => !member.Checkpoints.IsEmpty) is { } member
                ? (turn.State, [.. turn.Effects, new DeleteFile(member.Checkpoints[^1])]) : turn)),
        ["a file is deleted before the record no longer names it"] = new Mutation((state, happened, now) => After(state, happened, now, turn =>
            happened is CommitCalled && turn.State.Awaiting is [.., { Then: IsCommitted { Before: [var old, ..] } }]
                ? (turn.State, [.. turn.Effects, new DeleteFile(old)]) : turn)),
        ["a run ends with a member waiting"] = new Mutation((state, happened, now) => After(state, happened, now, turn =>
            happened is CommitCalled { Commit.Finished: true } && turn.State.Record.State == RunState.Running && turn.State.Record.Members.Any(member => member.State == MemberState.Waiting)
                ? (turn.State with { Record = turn.State.Record with { State = RunState.Completed } }, turn.Effects) : turn)),
        ["a member is assigned without raising its attempt"] = new Mutation((state, happened, now) => After(state, happened, now, turn =>
            happened is AssignCalled && turn.State.Awaiting is [.., { Then: IsAssigned assigned }] ? WithoutRaising(turn.State, assigned, turn.Effects) : turn)),
        ["metric lines are written that the record does not have"] = new Mutation((state, happened, now) => After(state, happened, now, turn =>
            happened is CommitCalled { Commit.By.Member: var index } && turn.State.Awaiting is [.., { Then: IsCommitted }] && turn.State.Record.Members[index] is { UnwrittenMetrics: { } lines } member
                ? (turn.State, [.. turn.Effects, new AppendMetrics(index, member.MetricsLength, lines)]) : turn)),
        ["a scheduler does not look for runs that it was not told of"] = new Mutation(RunMachine.On, (state, happened, now) =>
            happened is RunsListed ? (state, []) : PlacementMachine.On(state, happened, now)),
        ["an attempt that was replaced is not told to stop"] = new Mutation((state, happened, now) => After(state, happened, now, turn =>
            (turn.State, [.. turn.Effects.Select(effect => effect is Reply { Answer: Acknowledgement.Superseded } reply ? reply with { Answer = Acknowledgement.Recorded } : effect)]))),
        ["an attempt that was replaced is not answered"] = new Mutation((state, happened, now) => After(state, happened, now, turn =>
            (turn.State, [.. turn.Effects.Where(effect => effect is not Reply { Answer: Acknowledgement.Superseded })]))),
        ["one lane of each silo is offered"] = new Mutation(RunMachine.On, (state, happened, now) =>
            PlacementMachine.On(state, happened is SiloAnnounced said ? new SiloAnnounced(said.Report with { Lanes = Math.Min(1, said.Report.Lanes) }) : happened, now)),
        ["a silo that has taken a member is forgotten"] = new Mutation(RunMachine.On, (state, happened, now) =>
            happened is SiloAnnounced { Report: var silo } && state.Runs.Any(run => run.Status?.Silos.Any(known => known.Silo == silo.Endpoint) == true)
                ? (state with { Silos = state.Silos.RemoveAll(known => known.Report.Silo == silo.Silo) }, []) : PlacementMachine.On(state, happened, now)),
        ["a lane that was freed is not given again"] = new Mutation(RunMachine.On, (state, happened, now) =>
            happened is SiloAnnounced { Report: var silo } && state.Silos.FirstOrDefault(known => known.Report.Silo == silo.Silo).Lanes is { Report: var before }
                ? PlacementMachine.On(state, new SiloAnnounced(silo with { Uses = before.Uses }), now) : PlacementMachine.On(state, happened, now)),
        ["a lane is called before the record has its attempt"] = new Mutation((state, happened, now) => After(state, happened, now, turn =>
            happened is AssignCalled && turn.State.Awaiting is [.., { Then: IsAssigned assigned }]
                ? (turn.State, [.. turn.Effects, .. assigned.Attempts.Select(attempt => new CallMember(assigned.Call, attempt, turn.State.Record.Members[attempt.Member].Checkpoints, assigned.Grant))]) : turn)),
        ["whoever stops a run is not answered"] = new Mutation((state, happened, now) => After(state, happened, now, turn =>
            (turn.State, [.. turn.Effects.Where(effect => effect is not Reply { Answer: null } || happened is not RecordWritten)]))),
        ["files stay that nothing names any more"] = new Mutation((state, happened, now) => After(state, happened, now, turn =>
            (turn.State, [.. turn.Effects.Where(effect => effect is not DeleteFile)]))),
        ["a hand-over is folded by another share"] = new Mutation((state, happened, now) => After(state, happened, now, turn =>
            (turn.State, [.. turn.Effects.Select(effect => effect is Fold { Share: < 1 } fold ? fold with { Share = fold.Share / 2 } : effect)]))),
        ["the time of training is forgotten when a run goes on"] = new Mutation((state, happened, now) => After(state, happened, now, turn =>
            happened is ResumeCalled or TakenOver ? (turn.State with { Record = turn.State.Record with { TrainSeconds = 0 } }, turn.Effects) : turn)),
        ["a run is called inexact on machines that are alike"] = new Mutation((state, happened, now) => After(state, happened, now, turn =>
            happened is AssignCalled && turn.State.Record.Machine is not null ? (turn.State with { Record = turn.State.Record with { Exact = false } }, turn.Effects) : turn)),
        ["the checkpoint before the last is not kept"] = new Mutation((state, happened, now) => After(state, happened, now, turn =>
            happened is CommitCalled { Commit.By.Member: var index } && turn.State.Record.Members is { Count: > 0 } members && members[index].Checkpoints is [var last, _]
                ? (turn.State with { Record = turn.State.Record.With(members[index] with { Checkpoints = [last] }) }, turn.Effects) : turn)),
        ["the progress of a stale attempt is shown"] = new Mutation((state, happened, now) => RunMachine.On(
            state, happened is ProgressReported reported ? new ProgressReported([.. reported.Progress.Select(member => member with { By = Current(state, member.By) })]) : happened, now)),
        ["lanes of a silo that is gone are offered"] = new Mutation(RunMachine.On, (state, happened, now) =>
            PlacementMachine.On(state, happened is MembershipChanged changed ? new MembershipChanged([.. state.Active.Union(changed.Active)]) : happened, now)),
        ["a member moves to and fro"] = new Mutation(RunMachine.On, (state, happened, now) =>
        {
            var (after, effects) = PlacementMachine.On(state, happened, now);
            return happened is PlacementDue && (after.Moving is not { } last || now - last.At > TimeSpan.FromSeconds(4))
                && after.Silos.SelectMany(silo => silo.Report.Uses).FirstOrDefault() is { Lanes: > 0 } use
                ? (after with { Moving = new Move(use.Run, use.Attempt, now) }, [.. effects, new MoveMember(use.Run, use.Attempt)]) : (after, effects);
        }),
        ["nobody gives a lane away"] = new Mutation(RunMachine.On, (state, happened, now) =>
        {
            var (after, effects) = PlacementMachine.On(state, happened, now);
            return (after, [.. effects.Where(effect => effect is not MoveMember)]);
        }),
        ["lanes that nobody took stay offered"] = new Mutation(RunMachine.On, (state, happened, now) => happened is OfferAnswered { Attempts.IsEmpty: true }
            ? (state, []) : PlacementMachine.On(state with { Offers = [.. state.Offers.Select(offer => offer with { At = now })] }, happened, now)),
    };

    /// <summary>A write that begins in the same turn has what was changed.</summary>
    private static Turn After(CoordinatorState state, RunEvent happened, TimeSpan now, Func<Turn, Turn> change)
    {
        var right = RunMachine.On(state, happened, now);
        var turn = change(right);
        return ReferenceEquals(turn.State.Record, right.State.Record) ? turn
            : (turn.State, [.. turn.Effects.Select(effect => effect is WriteRecord write ? write with { Record = turn.State.Record } : effect)]);
    }

    private static Turn Then(Turn turn, RunEvent happened, TimeSpan now)
    {
        var (state, effects) = RunMachine.On(turn.State, happened, now);
        return (state, [.. turn.Effects, .. effects]);
    }

    private static Turn Unfenced(CoordinatorState state, RunEvent happened, TimeSpan now)
    {
        var turn = RunMachine.On(state, happened, now);
        return turn.Effects.OfType<WriteRecord>().FirstOrDefault() is { } write
            ? Then((turn.State, [.. turn.Effects.Where(effect => effect != write)]), new RecordWritten(write.Version), now)
            : turn;
    }

    private static MemberAttempt Current(CoordinatorState state, MemberAttempt by) =>
        by.Member < state.Record.Members.Count ? by with { Attempt = state.Record.Members[by.Member].Attempt } : by;

    private static WeightFile ModelOf(Fold fold)
    {
        var before = fold.Model is null ? 0 : Course.WeightsOf(fold.Model.Sha256);
        var (member, step) = (fold.HandOver.Member, fold.HandOver.Step);
        return new WeightFile(member, step, RunFolder.Ema(member, step), Course.Sha(Course.Fold(before, Course.WeightsOf(fold.HandOver.Sha256))));
    }

    private static Turn WithoutRaising(CoordinatorState state, IsAssigned assigned, IReadOnlyList<RunEffect> effects)
    {
        var record = state.Record;
        foreach (var attempt in assigned.Attempts) record = record.With(record.Members[attempt.Member] with { Attempt = attempt.Attempt - 1 });
        var attempts = assigned.Attempts.Select(attempt => attempt with { Attempt = attempt.Attempt - 1 }).ToImmutableArray();
        var awaiting = state.Awaiting[^1] with { Then = assigned with { Attempts = attempts } };
        return (state with { Record = record, Awaiting = state.Awaiting.SetItem(state.Awaiting.Count - 1, awaiting) }, effects);
    }
}
