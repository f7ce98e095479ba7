using System.Collections.Immutable;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Grains.Coordination;

/// <content>How runs begin, go on and are deleted.</content>
internal sealed partial class RunTurn
{
    private void OnActivated(Activated activated)
    {
        if (activated.Record is not { } record) return;
        Open(record, activated.Averaging);
        _state = _state with { Exists = true };
        // The activation that ended the run may have died between the record and what follows from it.
        if (!record.GoesOn && (!_state.LanesEndWithProcess || HasRunEnded)) Do(new CheckEnd(record.State, TimeSpan.Zero));
        // An older one that has not noticed that it was replaced may still show the run as running after that look.
        if (!record.GoesOn) CheckLater(isTold: true);
        // Another process may have the run: this activation then only answers.
        if (!record.GoesOn || !activated.IsHeld) return;
        _state = _state with { IsHeld = true, IsUnderWay = !_state.LanesEndWithProcess };
        // Whoever had it before learns it at once.
        Show(ShowReason.Beginning, []);
    }

    private bool HasRunEnded => Record.State is RunState.Completed or RunState.Degraded or RunState.Failed;

    private void OnEndFoundUntold()
    {
        // It may go on meanwhile.
        if (_state.IsHeld || _state.Beginning is not null) return;
        Show(ShowReason.Told, []);
    }

    private void OnStart(StartCalled start)
    {
        if (_state.Exists) Answer(start.Call, true);
        else if (_state.Beginning is { } beginning) _state = _state with { Beginning = beginning with { Calls = beginning.Calls.Add(start.Call) } };
        else
        {
            Do(new Claim(Begin(start.Request, start.Averaging, [start.Call]), start.Request));
        }
    }

    private void OnClaimed(Claimed claimed)
    {
        if (_state.Beginning is not { Request: { } request } beginning || beginning.Number != claimed.Number) return;
        if (!claimed.IsOurs)
        {
            _state = _state with { Beginning = null };
            foreach (var call in beginning.Calls)
            {
                if (claimed.Error is { } error) Refuse(call, error.Reason is { } reason ? NotStored(reason) : error.Exception);
                else Answer(call, false);
            }

            return;
        }

        if (request.Inexact is { } inexact) Do(new SayInexact(inexact));
        Open(
            new RunRecord
            {
                State = RunState.Running,
                Spec = request.Spec,
                Data = request.Data,
                Loads = MemberLoads.Of(request.Loads),
                Exact = request.Inexact is null,
                Members = MemberRecords.New(request.Loads.Length),
            },
            beginning.Averaging);
        _state = _state with { Stored = null, IsHeld = true, IsUnderWay = true };
        After(Change(), new HasBegun(IsNew: true, []));
    }

    private void OnResume(ResumeCalled resume)
    {
        if (_state.Halting is { } halting)
        {
            _state = _state with { Halting = halting with { Resumes = halting.Resumes.Add(resume) } };
        }
        else if (_state.Beginning is { } beginning)
        {
            _state = _state with { Beginning = beginning with { Calls = beginning.Calls.Add(resume.Call) } };
        }
        else if (Refusal() is { } refusal)
        {
            Refuse(resume.Call, refusal);
        }
        else if (!_state.IsUnderWay)
        {
            Begin(null, null, [resume.Call]);
        }
        else if (Record.State == RunState.Running)
        {
            Refuse(resume.Call, Refused("is in training already.", RunRemedy.Watch));
        }
        else
        {
            // Lanes may still be leaving: they are given others when they have.
            GoOn([resume.Call]);
        }
    }

    private void OnTakenOver(TakenOver taken)
    {
        if (_state.Beginning is not { Request: null } beginning || beginning.Number != taken.Number) return;
        // The record as the last process left it, which may be later than this activation read it.
        if (taken.Record is { } record) Open(record, taken.Averaging);
        var refusal = !taken.IsHeld
            ? taken.Error?.Exception ?? Refused("is in training in another process.", RunRemedy.WatchOrStop)
            : taken.Error?.Exception ?? (taken.Record is null ? NotHere() : Refusal());
        if (refusal is not null)
        {
            _state = _state with { Beginning = null, IsHeld = taken.IsHeld };
            Release();
            foreach (var call in beginning.Calls) Refuse(call, refusal);
            return;
        }

        // Nobody trains its members: their lanes ended with the process that had it, or are not heard any more.
        Record = Record.WithoutLanes();
        _state = _state with { IsHeld = true };
        Do(new WriteDefinition(beginning.Number, Record.Spec, Record.Data));
    }

    private void OnDefinitionWritten(DefinitionWritten written)
    {
        if (_state.Beginning is not { Request: null } beginning || beginning.Number != written.Number) return;
        _state = _state with { Beginning = null };
        if (written.Error is not { } error)
        {
            GoOn(beginning.Calls);
            return;
        }

        var reason = Halts(error);
        if (reason is null) Release();
        else Halt(reason);
        foreach (var call in beginning.Calls) Refuse(call, reason is null ? error.Exception : CannotGoOn(reason));
    }

    private long Begin(RunRequest? request, RunAveraging? averaging, ImmutableArray<long> calls)
    {
        var number = _state.LastBeginning + 1;
        _state = _state with { LastBeginning = number, Beginning = new Beginning(number, request, averaging, calls) };
        return number;
    }

    private void GoOn(ImmutableArray<long> calls)
    {
        _state = _state with { IsUnderWay = true };
        Record = Record with { State = RunState.Running, Reason = null };
        After(Change(), new HasBegun(IsNew: false, calls));
    }

    private void Begun(HasBegun begun)
    {
        var calls = begun.Calls;
        if (begun.IsNew)
        {
            calls = _state.Beginning?.Calls ?? [];
            _state = _state with { Beginning = null };
        }

        Show(ShowReason.Beginning, [.. calls.Select(call => new Reply(call, true))]);
    }

    private void FailBeginning(HasBegun begun, StoreError error, string? halts)
    {
        if (!begun.IsNew)
        {
            foreach (var call in begun.Calls) Refuse(call, halts is null ? error.Exception : CannotGoOn(halts));
            return;
        }

        var calls = _state.Beginning?.Calls ?? [];
        var reason = halts ?? error.Reason ?? (error.IsUnforeseen ? ReasonOf(error.Exception) : null);
        _state = _state with { Beginning = null };
        // In a cluster nobody else would give back the name; whether another activation has begun the run says the store.
        if (reason is not null || !_state.LanesEndWithProcess) Release(new Unclaim());

        foreach (var call in calls) Refuse(call, reason is null ? error.Exception : NotStored(reason));
    }

    private void OnVacate(long call)
    {
        // Among files, a run without a record has no name.
        if (_state.Exists || _state.IsHeld || _state.Beginning is not null || _state.LanesEndWithProcess) Answer(call, false);
        else Do(new Vacate(call));
    }

    private void OnVacated(Vacated vacated)
    {
        if (vacated.Error is { } error) Refuse(vacated.Call, error.Exception);
        else Answer(vacated.Call, vacated.IsFree);
    }

    private void OnDelete(long call)
    {
        if (_state.LanesEndWithProcess) Refuse(call, Refused("belongs to a folder, and is deleted there."));
        else if (!_state.Exists) Refuse(call, NotHere());
        else if (Record.GoesOn) Refuse(call, Refused("is in training.", RunRemedy.StopThenDelete));
        // Only the activation that knows may delete it.
        else After(Change(), new CanBeDeleted(call));
    }

    private void Deletable(long call)
    {
        if (Record.GoesOn) OnDelete(call);
        else Do(new ClearRecord(call));
    }

    private void OnCleared(RecordCleared cleared)
    {
        if (cleared.Error is { } error)
        {
            Refuse(cleared.Call, error.Exception);
            return;
        }

        Release();
        _state = _state with { Exists = false, IsGone = true };
        Answer(cleared.Call, null);
        Do(new Deactivate());
    }

    private void Open(RunRecord record, RunAveraging? averaging)
    {
        _state = _state with { Stored = record, Averaging = averaging, Progress = _state.Progress.From(record), ReadAt = now };
        Know(record);
    }

    /// <summary>What was known of the members besides it goes, but for what is still under way.</summary>
    private void Know(RunRecord record)
    {
        var before = _state.Watches;
        var watches = new MemberWatch[record.Members.Count];
        for (var i = 0; i < watches.Length; i++) watches[i] = new MemberWatch { IsAppending = i < before.Count && before[i].IsAppending };
        _state = _state with { Record = record, Watches = Chunks<MemberWatch>.Of(watches) };
    }

    /// <summary>Gives the run free: nothing that its lanes bring is heard any more.</summary>
    /// <param name="unclaim">Null if the run stays.</param>
    private void Release(Unclaim? unclaim = null)
    {
        if (!_state.IsHeld) return;
        _state = _state with { IsHeld = false, IsUnderWay = false, Folding = null, ReadAt = now };
        Do(unclaim is null ? new ReleaseRun() : unclaim);
        EndWaits(null);
        // Whoever is about to go on with it takes it again.
        if (_state.Beginning is { Request: null } resume) Begin(null, null, resume.Calls);
    }

    /// <param name="error">Null if those that wait are superseded.</param>
    private void EndWaits(Exception? error)
    {
        var (folds, commits, ending) = (_state.FoldWaits, _state.HeldCommits, _state.Ending);
        _state = _state with { FoldWaits = [], HeldCommits = [], Ending = null };
        foreach (var wait in folds) End(wait.Call);
        foreach (var wait in commits) End(wait.Call);
        foreach (var reply in ending?.Replies ?? []) Do(reply);
        if (error is null) return;
        foreach (var call in _state.Beginning?.Calls ?? []) Refuse(call, error);
        foreach (var reply in _state.Showing?.Calls ?? []) Refuse(reply.Call, error);
        foreach (var reply in _state.ShowNext?.Calls ?? []) Refuse(reply.Call, error);
        _state = _state with { Beginning = null, Showing = null, ShowNext = null };

        void End(long call)
        {
            if (error is null) Answer(call, Acknowledgement.Superseded);
            else Refuse(call, error);
        }
    }

    /// <returns>Why the run cannot go on; null if it can.</returns>
    private RunRejectedException? Refusal()
    {
        if (!_state.Exists) return NotHere();
        return Record.State switch
        {
            RunState.Failed => Refused($"has failed ({Record.Reason}) and cannot go on.", RunRemedy.DeleteOrRename),
            RunState.Completed => Refused("is completed: there is nothing to resume.", RunRemedy.Evaluate),
            RunState.Degraded => Refused("is degraded: there is nothing to resume.", RunRemedy.Evaluate),
            RunState.Queued or RunState.Running or RunState.Paused => null,
            var state => throw new InvalidOperationException($"{state} is no state of a run."),
        };
    }

    private RunRejectedException NotHere() => new($"There is no run \"{_state.Run.Name}\" here.");

    private NotStoredException NotStored(string reason) => new($"Run \"{_state.Run.Name}\" cannot be stored in {_state.Place}: {reason}");

    private NotStoredException CannotGoOn(string reason) => new($"Run \"{_state.Run.Name}\" cannot go on: {reason}");
}
