using System.Collections.Immutable;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Grains.Coordination;

/// <summary>
/// Every decision of a run's coordinator, as a function: no disk, no clock, no network. Whoever calls it performs the effects,
/// each on its own way, and brings back how they turned out as further events.
/// </summary>
internal static class RunMachine
{
    /// <param name="now">Since any moment, as long as it is the same for one state.</param>
    public static (CoordinatorState State, IReadOnlyList<RunEffect> Effects) On(CoordinatorState state, RunEvent happened, TimeSpan now) =>
        new RunTurn(state, now).Take(happened);
}

/// <summary>What one event leads to.</summary>
internal sealed partial class RunTurn(CoordinatorState state, TimeSpan now)
{
    /// <summary>How long an activation that does not train its run answers from what it read.</summary>
    private static readonly TimeSpan s_staleness = TimeSpan.FromSeconds(10);

    private readonly List<RunEffect> _effects = [];
    private CoordinatorState _state = state;

    private RunRecord Record
    {
        get => _state.Record;
        set => _state = _state with { Record = value };
    }

    private RunProgress Progress
    {
        set => _state = _state with { Progress = value };
    }

    public (CoordinatorState, IReadOnlyList<RunEffect>) Take(RunEvent happened)
    {
        if (!_state.IsGone) Hear(happened);
        else if (happened is RunCall call) Refuse(call.Call, Away());
        if (happened is RunCall and not StartCalled or StatusAsked) LeaveIfStale();
        if (!_state.IsGone) Store();
        return (_state, _effects);
    }

    /// <summary>One write in flight: changes that come during it wait for the next, which serves all of them.</summary>
    private void Store()
    {
        if (_state.Writing != 0 || _state.Beginning is { IsTaking: true }) return;
        if (_state.Beginning is { Request: null } beginning)
        {
            _state = _state with { Beginning = beginning with { IsTaking = true } };
            Do(new TakeOver(beginning.Number));
        }
        else if (_state.Version > _state.Durable)
        {
            _state = _state with { Writing = _state.Version, WritingRecord = Record, WritingSince = now };
            Do(new WriteRecord(_state.Version, _state.Stored, Record));
        }
    }

    private void Hear(RunEvent happened)
    {
        switch (happened)
        {
            case Activated activated: OnActivated(activated); break;
            case StartCalled start: OnStart(start); break;
            case Claimed claimed: OnClaimed(claimed); break;
            case ResumeCalled resume: OnResume(resume); break;
            case TakenOver taken: OnTakenOver(taken); break;
            case VacateCalled vacate: OnVacate(vacate.Call); break;
            case Vacated vacated: OnVacated(vacated); break;
            case DefinitionWritten written: OnDefinitionWritten(written); break;
            case DeleteCalled delete: OnDelete(delete.Call); break;
            case RecordCleared cleared: OnCleared(cleared); break;
            case AssignCalled assign: OnAssign(assign); break;
            case MemberAnswered answered: OnMemberAnswered(answered); break;
            case MoveCalled move: OnMove(move); break;
            case CollectCalled collect: OnCollect(collect); break;
            case Folded folded: OnFolded(folded); break;
            case CommitCalled commit: OnCommit(commit); break;
            case MetricsAppended appended: OnAppended(appended); break;
            case FailCalled fail: OnFail(fail); break;
            case ReleaseCalled release: OnRelease(release); break;
            case PauseCalled pause: OnPause(pause); break;
            case StopCalled stop: OnStop(stop.Call); break;
            case ProgressReported reported: OnProgress(reported); break;
            case StatusAsked: break;
            case Ticked ticked: OnTick(ticked); break;
            case EndFoundUntold: OnEndFoundUntold(); break;
            case StatusWritten written: OnStatusWritten(written); break;
            case RecordWritten written: OnWritten(written.Version); break;
            case RecordNotWritten failed: OnNotWritten(failed.Version, failed.Error); break;
            case RecordRead read: OnRead(read.Record); break;
            case Faulted faulted: OnFaulted(faulted); break;
            default: throw new InvalidOperationException($"{happened.GetType().Name} is no event of a run.");
        }
    }

    private void Follow(Consequence consequence)
    {
        switch (consequence)
        {
            case HasBegun begun: Begun(begun); break;
            case IsAssigned assigned: CallLanes(assigned); break;
            case WasNotTaken taken: Taken(taken.Call, null); break;
            case IsCollected collected: Collected(collected); break;
            case IsFolded folded: FoldedDurably(folded); break;
            case IsCommitted committed: Committed(committed); break;
            case WasCommitted known: CommittedBefore(known); break;
            case HasLeft left: Left(left); break;
            case IsPaused paused: Paused(paused.Call); break;
            case HasEnded: ShowEnd(); break;
            case AreLost: Do(new TellScheduler()); break;
            case IsConfirmed confirmed: Look(confirmed.DeadSilos); break;
            case CanBeShown shown: ShowConfirmed(shown); break;
            case CanBeDeleted deletable: Deletable(deletable.Call); break;
            default: throw new InvalidOperationException($"{consequence.GetType().Name} follows from nothing.");
        }
    }

    /// <summary>
    /// Another activation may have begun the run, or go on with it, since this one looked, which does not train it and so is not
    /// told: the next call looks again.
    /// </summary>
    private void LeaveIfStale()
    {
        if (_state is not { IsGone: false, IsLeaving: false, IsHeld: false, Beginning: null, Halting: null, Awaiting.IsEmpty: true, Showing: null }) return;
        if (_state.Exists && (_state.LanesEndWithProcess || now - _state.ReadAt < s_staleness)) return;
        _state = _state with { IsLeaving = true };
        Do(new Deactivate());
    }

    private void OnWritten(long version)
    {
        // After a fault it is not known what the store has.
        if (version != _state.Writing) return;
        _state = _state with { Durable = version, Stored = _state.WritingRecord, Writing = 0, WritingRecord = null, ConfirmedAt = _state.WritingSince, Exists = true };
        List<Awaiting> due = [.. _state.Awaiting.TakeWhile(waiting => waiting.Version <= version)];
        _state = _state with { Awaiting = _state.Awaiting.RemoveRange(0, due.Count) };
        foreach (var waiting in due) Follow(waiting.Then);
    }

    /// <summary>The record is to be written, with what has changed: also without a change, as a fence.</summary>
    private long Change()
    {
        _state = _state with { Version = _state.Version + 1 };
        return _state.Version;
    }

    private void After(long version, Consequence then) => _state = _state with { Awaiting = _state.Awaiting.Add(new Awaiting(version, then)) };

    private void Do(RunEffect effect) => _effects.Add(effect);

    /// <param name="call">0 if nobody asked.</param>
    private void Answer(long call, object? answer)
    {
        if (call != 0) Do(new Reply(call, answer));
    }

    private void Refuse(long call, Exception error)
    {
        if (call != 0) Do(new Refuse(call, error));
    }

    /// <summary>
    /// A file goes only when neither the store's record names it nor the next one: a hand-over or a checkpoint that comes again,
    /// late, may be one that is about to be replaced.
    /// </summary>
    private void DropUnnamed(WeightFile file)
    {
        if (!Record.Names(file) && _state.Stored?.Names(file) != true) Do(new DeleteFile(file));
    }

    private MemberWatch Watch(int member) => _state.Watches[member];

    private void Watch(int member, MemberWatch watch) => _state = _state with { Watches = _state.Watches.With(member, watch) };

    private bool IsCurrent(MemberAttempt by) =>
        _state.IsHeld && by.Member >= 0 && by.Member < Record.Members.Count
        && Record.Members[by.Member] is { State: MemberState.Training } member && member.Attempt == by.Attempt;

    private Acknowledgement AnswerTo(MemberAttempt by) =>
        Record.State == RunState.Running && Watch(by.Member).MovingAttempt != by.Attempt ? Acknowledgement.Recorded : Acknowledgement.Stop;

    private bool AnyTrains() => Record.Members.Training > 0;

    private RunRejectedException Refused(string why, RunRemedy remedy = RunRemedy.None) =>
        new($"Run \"{_state.Run.Name}\" {why}") { Remedy = remedy, Run = _state.Run.Name };
}
