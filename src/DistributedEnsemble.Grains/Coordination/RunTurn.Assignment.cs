using System.Collections.Immutable;
using DistributedEnsemble.Training;

namespace DistributedEnsemble.Grains;

/// <content>Gives lanes to members, and notices when they are gone.</content>
internal sealed partial class RunTurn
{
    /// <summary>
    /// A lane reports several times a second. This long without a word, from a silo that nobody calls dead, its order never
    /// came, or its silo does not hear of its end.
    /// </summary>
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(20);

    /// <summary>A coordinator that has not been confirmed by the store for so long makes sure that it still is the one.</summary>
    private static readonly TimeSpan s_fence = TimeSpan.FromSeconds(1.5);

    /// <summary>A coordinator that was confirmed within this time shows the run.</summary>
    private static readonly TimeSpan s_trust = TimeSpan.FromSeconds(3);

    private void OnAssign(AssignCalled assign)
    {
        var waiting = _state is { IsHeld: true, IsUnderWay: true } && Record.State == RunState.Running ? Longest() : null;
        if (waiting is null)
        {
            Answer(assign.Call, null);
            return;
        }

        var grant = assign.Grant;
        var member = waiting with { State = MemberState.Training, Attempt = waiting.Attempt + 1, Silo = grant.Endpoint, SiloAddress = grant.Silo };
        var isExact = Record.Exact && (Record.Machine is null || grant.Machine.HasBitsOf(Record.Machine, assign.Kernels));
        if (!isExact && Record.Exact) Do(new SayMachineDiffers(member.Index, grant.Machine, Record.Machine!));
        Record = Record.With(member) with { Machine = Record.Machine ?? grant.Machine, Exact = isExact };
        Progress = _state.Progress.Assigned(member.Index, now);
        After(Change(), new IsAssigned(assign.Call, new MemberAttempt(member.Index, member.Attempt), grant));
    }

    /// <summary>The waiting member that has most to do: begun last, it would keep the run from ending. Among equals the first.</summary>
    private MemberRecord? Longest()
    {
        if (Record.Loads.AreEqual) return Record.Members.FirstWaiting();
        var (longest, most) = ((MemberRecord?)null, 0.0);
        foreach (var member in Record.Members)
        {
            if (member.State != MemberState.Waiting) continue;
            var load = Record.Loads[member.Index];
            var left = (load.Steps - member.Step) * load.StepCost;
            if (longest is null || left > most) (longest, most) = (member, left);
        }

        return longest;
    }

    private void CallLane(IsAssigned assigned)
    {
        if (IsCurrent(assigned.Attempt))
        {
            Do(new CallMember(assigned.Call, assigned.Attempt, Record.Members[assigned.Attempt.Member].Checkpoints, assigned.Grant));
        }
        else
        {
            Answer(assigned.Call, null);
        }
    }

    private void OnMemberAnswered(MemberAnswered answered)
    {
        if (answered.IsTaken)
        {
            Answer(answered.Call, answered.Attempt);
        }
        else if (IsCurrent(answered.Attempt))
        {
            LetWait(answered.Attempt.Member);
            After(Change(), new WasNotTaken(answered.Call));
        }
        else
        {
            Answer(answered.Call, null);
        }
    }

    private void OnMove(MoveCalled move)
    {
        if (IsCurrent(move.Attempt))
        {
            // A grain that has lost sight of its lane cannot tell it: then the lane hears it with its next answer.
            Watch(move.Attempt.Member, Watch(move.Attempt.Member) with { MovingAttempt = move.Attempt.Attempt });
            Do(new StopMember(move.Attempt));
        }

        Answer(move.Call, null);
    }

    /// <summary>The member is on no lane any more: one will take it.</summary>
    private void LetWait(int member)
    {
        Record = Record.With(Record.Members[member].Waiting());
        LeftLane(member);
    }

    private void LeftLane(int member)
    {
        var progress = _state.Progress.Left(member);
        Progress = AnyTrains() ? progress : progress.PausedAt(now);
    }

    private void OnProgress(ProgressReported reported)
    {
        foreach (var report in reported.Progress)
        {
            if (!IsCurrent(report.By)) continue;
            Progress = _state.Progress.Reported(report, now);
            Watch(report.By.Member, Watch(report.By.Member) with { HeardAttempt = report.By.Attempt, HeardAt = now });
        }
    }

    private void OnTick(Ticked ticked)
    {
        if (!_state.IsHeld) return;
        if (ticked.IsStopRequested && Record.State == RunState.Running) Pause("stopped", 0);
        if (_state.IsLooking || !_state.IsHeld) return;
        if (WasConfirmedWithin(s_fence))
        {
            Look(ticked.DeadSilos);
            return;
        }

        // An activation that was paused or cut off, and replaced meanwhile, learns it here, before it shows anything.
        _state = _state with { IsLooking = true };
        After(Change(), new IsConfirmed(ticked.DeadSilos));
    }

    private bool WasConfirmedWithin(TimeSpan time) => _state.LanesEndWithProcess || (_state.ConfirmedAt is { } at && now - at <= time);

    private void Look(ImmutableArray<string> deadSilos)
    {
        _state = _state with { IsLooking = false };
        if (!_state.IsHeld) return;
        var anyLost = false;
        for (var index = 0; index < Record.Members.Count; index++)
        {
            Append(index);
            var member = Record.Members[index];
            if (member.State != MemberState.Training || !IsLost(member, deadSilos)) continue;
            Do(new SayMemberLost(index, member.Silo));
            LetWait(index);
            anyLost = true;
        }

        if (anyLost) After(Change(), new AreLost());
        EndIfDone();
        if (_state is { Ending.Misses: > 0, Showing: null }) ShowEnd();
        var isChanged = _state.Progress.Changes != _state.Shown && _state.Showing is null && now >= _state.ShowAfter;
        // A fence that took long says nothing of now: what follows is fenced by the next write, but for what is shown.
        if (isChanged && _state.IsHeld && _state.Ending is null && WasConfirmedWithin(s_trust)) Show(ShowReason.Change, []);
    }

    private bool IsLost(MemberRecord member, ImmutableArray<string> deadSilos)
    {
        // Lanes of this process end only with it.
        if (_state.LanesEndWithProcess) return false;
        if (member.SiloAddress is { } silo && deadSilos.Contains(silo)) return true;
        var watch = Watch(member.Index);
        if (watch.HeardAttempt == member.Attempt) return now - watch.HeardAt > s_silence;
        // From now on it has time to speak.
        Watch(member.Index, watch with { HeardAttempt = member.Attempt, HeardAt = now });
        return false;
    }
}
