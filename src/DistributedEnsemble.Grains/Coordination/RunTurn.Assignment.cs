using System.Collections.Immutable;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Members;

namespace DistributedEnsemble.Grains.Coordination;

/// <content>Gives lanes to members, and notices when they are gone.</content>
internal sealed partial class RunTurn
{
    /// <summary>By this part of the patience a member may be missed sooner than it says.</summary>
    private const int ExactnessOfPatience = 20;

    private void OnAssign(AssignCalled assign)
    {
        var grant = assign.Grant;
        var isUnderWay = _state is { IsHeld: true, IsUnderWay: true } && Record.State == RunState.Running;
        var attempts = ImmutableArray.CreateBuilder<MemberAttempt>();
        foreach (var waiting in isUnderWay ? Longest(grant.Members) : [])
        {
            var member = waiting with { State = MemberState.Training, Attempt = waiting.Attempt + 1, Silo = grant.Endpoint, SiloAddress = grant.Silo };
            if (attempts.Count == 0) Compare(grant.Machine, member.Index, assign.Kernels);
            Record = Record.With(member);
            Progress = _state.Progress.Assigned(member.Index, now);
            attempts.Add(new MemberAttempt(member.Index, member.Attempt));
        }

        if (attempts.Count == 0) Answer(assign.Call, ImmutableArray<MemberAttempt>.Empty);
        else After(Change(), new IsAssigned(assign.Call, attempts.ToImmutable(), grant));
    }

    /// <summary>The waiting members that have most to do: begun last, they would keep the run from ending. Among equals the first.</summary>
    private List<MemberRecord> Longest(int count)
    {
        var waiting = Record.Members.AllWaiting();
        return [.. (Record.Loads.AreAlike ? waiting : waiting.OrderByDescending(Left)).Take(count)];

        double Left(MemberRecord member)
        {
            var load = Record.Loads[member.Index];
            return (load.Steps - member.Step) * load.StepCost;
        }
    }

    /// <summary>Whether the bits of a run stay those of one kind of machine.</summary>
    private void Compare(MachineInfo machine, int member, KernelKind kernels)
    {
        var isExact = Record.Exact && (Record.Machine is null || machine.HasBitsOf(Record.Machine, kernels));
        if (!isExact && Record.Exact) Do(new SayMachineDiffers(member, machine, Record.Machine!));
        Record = Record with { Machine = Record.Machine ?? machine, Exact = isExact };
    }

    private void CallLanes(IsAssigned assigned)
    {
        var current = assigned.Attempts.RemoveAll(attempt => !IsCurrent(attempt));
        if (current.IsEmpty)
        {
            Answer(assigned.Call, current);
            return;
        }

        _state = _state with { Assigning = _state.Assigning.SetItem(assigned.Call, new Assigning(current.Length, [])) };
        foreach (var attempt in current) Do(new CallMember(assigned.Call, attempt, Record.Members[attempt.Member].Checkpoints, assigned.Grant));
    }

    private void OnMemberAnswered(MemberAnswered answered)
    {
        if (answered.IsTaken)
        {
            Taken(answered.Call, answered.Attempt);
        }
        else if (IsCurrent(answered.Attempt))
        {
            if (answered.IsSiloGone) Do(new SayMemberLost(answered.Attempt.Member, Record.Members[answered.Attempt.Member].Silo));
            LetWait(answered.Attempt.Member);
            After(Change(), new WasNotTaken(answered.Call));
        }
        else
        {
            Taken(answered.Call, null);
        }
    }

    /// <param name="attempt">Null if a member was not taken.</param>
    private void Taken(long call, MemberAttempt? attempt)
    {
        if (!_state.Assigning.TryGetValue(call, out var assigning)) return;
        assigning = new Assigning(assigning.Left - 1, attempt is { } taken ? assigning.Taken.Add(taken) : assigning.Taken);
        if (assigning.Left > 0)
        {
            _state = _state with { Assigning = _state.Assigning.SetItem(call, assigning) };
            return;
        }

        _state = _state with { Assigning = _state.Assigning.Remove(call) };
        Answer(call, assigning.Taken);
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
            var watch = Watch(report.By.Member);
            // Thousands of members speak several times a second: when exactly does not matter.
            if (watch.HeardAttempt == report.By.Attempt && now - watch.HeardAt < _state.Timing.Patience / ExactnessOfPatience) continue;
            Watch(report.By.Member, watch with { HeardAttempt = report.By.Attempt, HeardAt = now });
        }
    }

    private void OnTick(Ticked ticked)
    {
        if (!_state.IsHeld) return;
        if (ticked.IsStopRequested && Record.State == RunState.Running) Pause("stopped", 0);
        if (_state.IsLooking || !_state.IsHeld) return;
        if (WasConfirmedWithin(_state.Timing.Fence))
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
        if (isChanged && _state.IsHeld && _state.Ending is null && WasConfirmedWithin(_state.Timing.Trust)) Show(ShowReason.Change, []);
    }

    private bool IsLost(MemberRecord member, ImmutableArray<string> deadSilos)
    {
        // Lanes of this process end only with it.
        if (_state.LanesEndWithProcess) return false;
        if (member.SiloAddress is { } silo && deadSilos.Contains(silo)) return true;
        var watch = Watch(member.Index);
        // A lane reports several times a second: its order never came, or its silo does not hear of its end.
        if (watch.HeardAttempt == member.Attempt) return now - watch.HeardAt > _state.Timing.Patience;
        // From now on it has time to speak.
        Watch(member.Index, watch with { HeardAttempt = member.Attempt, HeardAt = now });
        return false;
    }
}
