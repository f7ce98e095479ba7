using System.Collections.Immutable;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Grains.Coordination;

/// <content>How runs pause, fail and end, and how that is shown.</content>
internal sealed partial class RunTurn
{
    /// <summary>Bytes of run.json that are written in a second: it has all of a run, however large that is.</summary>
    private const double ShownPerSecond = 4 << 20;

    /// <summary>How often a file is tried again without which a run does not go on, or end: some seconds.</summary>
    private const int MostMisses = 10;

    private void OnFail(FailCalled fail)
    {
        var by = fail.Failure.By;
        if (!IsCurrent(by))
        {
            Answer(fail.Call, Acknowledgement.Superseded);
            return;
        }

        Record = Record.With(Record.Members[by.Member] with { State = MemberState.Failed, Silo = null, Reason = fail.Failure.Reason });
        LeftLane(by.Member);
        After(Change(), new HasLeft(fail.Call, by));
    }

    private void OnRelease(ReleaseCalled release)
    {
        if (!IsCurrent(release.Attempt))
        {
            Answer(release.Call, Acknowledgement.Superseded);
            return;
        }

        LetWait(release.Attempt.Member);
        After(Change(), new HasLeft(release.Call, release.Attempt));
    }

    private void Left(HasLeft left)
    {
        EndIfDone();
        // A member that moves, and a run that was stopped and resumed before its lanes had left.
        if (Record.State == RunState.Running && Record.Members[left.By.Member].State == MemberState.Waiting) Do(new TellScheduler());
        Answer(left.Call, AnswerTo(left.By));
    }

    private void OnStop(long call)
    {
        if (Record.State == RunState.Running) Pause("stopped", call);
        else Answer(call, null);
    }

    private void OnPause(PauseCalled pause)
    {
        if (!IsCurrent(pause.Attempt))
        {
            Answer(pause.Call, null);
            return;
        }

        LetWait(pause.Attempt.Member);
        Pause(pause.Reason, pause.Call);
    }

    /// <summary>Lets the lanes take their checkpoints; the run has paused when the last one has left.</summary>
    private void Pause(string reason, long call)
    {
        if (!_state.IsHeld || Record.State is not (RunState.Running or RunState.Paused))
        {
            Answer(call, null);
            return;
        }

        Record = Record with { State = RunState.Paused, Reason = reason };
        After(Change(), new IsPaused(call));
    }

    private void Paused(long call)
    {
        if (_state.IsHeld && Record.State == RunState.Paused)
        {
            foreach (var member in Record.Members)
            {
                if (member.State == MemberState.Training) Do(new StopMember(new MemberAttempt(member.Index, member.Attempt)));
            }

            EndIfDone();
        }

        Answer(call, null);
    }

    /// <summary>
    /// The record cannot be written, and nobody else will: the run pauses as if its process had ended. What is on the disk
    /// holds, lanes are not heard any more, and a resume goes on from there.
    /// </summary>
    private void Halt(string reason)
    {
        if (!_state.IsHeld) return;
        var lanes = Record.Members.Where(m => m.State == MemberState.Training).Select(m => new MemberAttempt(m.Index, m.Attempt)).ToImmutableArray();
        Release();
        _state = _state with { Halting = new Halting(reason, lanes, []) };
        Do(new ReadRecord());
    }

    private void OnRead(RunRecord? record)
    {
        if (_state.Halting is not { } halting) return;
        _state = _state with { Halting = null, Progress = _state.Progress.PausedAt(now) };
        if (!_state.IsHeld)
        {
            if (record is not null) _state = _state with { Stored = record };
            Know((record ?? Record).WithoutLanes());
            // A write that failed may have been done all the same: then the run has ended.
            if (record is null || !HasRunEnded) Record = Record with { State = RunState.Paused, Reason = halting.Reason };
            Show(ShowReason.Told, []);
        }

        foreach (var lane in halting.Lanes) Do(new StopMember(lane));
        Do(new TellScheduler());
        foreach (var resume in halting.Resumes) OnResume(resume);
    }

    private void EndIfDone()
    {
        if (!_state.IsHeld || _state.Ending is not null || AnyTrains()) return;
        // What is being appended has still a word to say.
        foreach (var watch in _state.Watches)
        {
            if (watch.IsAppending) return;
        }

        // Lines that could not be written are in the record: they do not keep a run from pausing.
        if (Record.State == RunState.Paused)
        {
            End(RunState.Paused, Record.Reason);
            return;
        }

        if (Record.Members.Unwritten > 0 || Record.Members.Waiting > 0) return;
        var failed = Record.Members.Where(m => m.State == MemberState.Failed).ToList();
        if (failed.Count == 0) End(RunState.Completed, null);
        else if (failed.Count == Record.Members.Count) End(RunState.Failed, $"every member failed: {failed[0].Reason}");
        else End(RunState.Degraded, $"{failed.Count} of {Record.Members.Count} members failed: {failed[0].Reason}");
    }

    private void End(RunState state, string? reason, params ImmutableArray<Reply> replies)
    {
        Progress = _state.Progress.PausedAt(now);
        Record = Record with { State = state, Reason = reason, TrainSeconds = _state.Progress.TrainSecondsAt(now) };
        var version = Change();
        _state = _state with { Ending = new Ending(state, version, [.. _state.Ending?.Replies ?? [], .. replies]) };
        After(version, new HasEnded());
    }

    private void ShowEnd()
    {
        if (_state.Ending is not { } ending || ending.Version > _state.Durable) return;
        if (!_state.IsHeld || Record.State != ending.State)
        {
            // It was ended otherwise by another turn, or resumed.
            _state = _state with { Ending = null };
            foreach (var reply in ending.Replies) Do(reply);
            return;
        }

        Show(ShowReason.End, []);
    }

    /// <summary>The end is durable, and told: the run is free.</summary>
    private void Concluded(bool isTold)
    {
        // It may have been ended otherwise by another turn, which is still to be told.
        if (_state.Ending is not { } ending || ending.Version > _state.Durable) return;
        if (!isTold && ending.Misses < MostMisses)
        {
            // The next look tries again.
            _state = _state with { Ending = ending with { Misses = ending.Misses + 1 } };
            return;
        }

        // The record is written: a run.json that is late does not keep a run from ending.
        _state = _state with { Ending = null };
        if (_state.IsHeld && Record.State == ending.State)
        {
            Release();
            Do(new TellScheduler());
            CheckLater(isTold);
        }

        foreach (var reply in ending.Replies) Do(reply);
    }

    private void Told(bool isTold)
    {
        if (_state.IsHeld) return;
        // The run was taken for this alone.
        if (HasRunEnded) Do(new ReleaseRun());
        CheckLater(isTold);
    }

    /// <summary>An activation that was replaced, and has not noticed, may show the run for as long as it trusts its last write.</summary>
    private void CheckLater(bool isTold)
    {
        if (!isTold || !_state.LanesEndWithProcess) Do(new CheckEnd(Record.State, _state.Timing.Trust + _state.Timing.Fence));
    }

    /// <summary>Writes run.json: the later one is the one that stays.</summary>
    private void Show(ShowReason reason, ImmutableArray<Reply> calls)
    {
        if (_state.Showing is not null)
        {
            _state = _state with { ShowNext = new Showing(reason, 0, [.. _state.ShowNext?.Calls ?? [], .. calls]) };
            return;
        }

        if (!WasConfirmedWithin(_state.Timing.Trust))
        {
            // It slept, or the write took long: another activation may have gone on since.
            After(Change(), new CanBeShown(reason, calls));
            return;
        }

        var changes = _state.Progress.Changes;
        _state = _state with { Showing = new Showing(reason, changes, calls) };
        // An end is told before the run is free, so that whoever takes it then has the last word.
        var isUnderWay = _state.IsUnderWay && reason is ShowReason.Change or ShowReason.Beginning;
        Do(new WriteStatus(
            _state.Run, _state.Progress, Record, isUnderWay, now, Tidies: reason is ShowReason.Beginning or ShowReason.End, MayWait: reason == ShowReason.Change));
    }

    private void ShowConfirmed(CanBeShown shown)
    {
        // Whoever ended the run meanwhile has the last word.
        if (shown.Reason == ShowReason.End ? _state.Ending is not null : shown.Reason == ShowReason.Told || _state.IsHeld) Show(shown.Reason, shown.Calls);
        else foreach (var reply in shown.Calls) Do(reply);
    }

    private void OnStatusWritten(StatusWritten written)
    {
        if (_state.Showing is not { } shown) return;
        var error = written.Error;
        _state = _state with { Showing = null, Shown = error is null ? shown.Changes : _state.Shown, ShowAfter = now + TimeSpan.FromSeconds(written.Bytes / ShownPerSecond) };
        foreach (var reply in shown.Calls) Do(reply);
        if (shown.Reason == ShowReason.End) Concluded(isTold: error is null);
        else if (shown.Reason == ShowReason.Told) Told(isTold: error is null);
        else if (_state.IsHeld && error is not null && Halts(error) is { } reason) Pause(reason, 0);
        if (_state.ShowNext is not { } next) return;
        _state = _state with { ShowNext = null };
        ShowConfirmed(new CanBeShown(next.Reason, next.Calls));
    }
}
