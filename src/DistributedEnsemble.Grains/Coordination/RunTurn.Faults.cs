using System.Collections.Immutable;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Grains.Coordination;

/// <content>What happens when the store, or a decision, fails.</content>
internal sealed partial class RunTurn
{
    private void OnNotWritten(long version, StoreError error)
    {
        if (version != _state.Writing) return;
        var halts = Halts(error);
        GiveUp(waiting => halts is null || waiting <= version ? error : new StoreError(HasHalted(), null), Away(), halts);
    }

    /// <summary>
    /// What was to follow from an event is not known, and may never come: the store is what holds. Only what the event itself
    /// would have told is missing; everything else that is under way still says how it turned out.
    /// </summary>
    private void OnFaulted(Faulted faulted)
    {
        var error = HasFailed(faulted.Error);
        var halts = _state is { LanesEndWithProcess: true, IsHeld: true, Exists: true, Halting: null } ? ReasonOf(faulted.Error) : null;
        switch (faulted.Event)
        {
            case RunCall call: Refuse(call.Call, error); break;
            case MetricsAppended appended: Watch(appended.Member, Watch(appended.Member) with { IsAppending = false }); break;
            case StatusWritten:
                foreach (var reply in _state.Showing?.Calls ?? []) Refuse(reply.Call, error);
                _state = _state with { Showing = null };
                break;
        }

        foreach (var call in _state.Assigning.Keys) Refuse(call, error);
        foreach (var call in _state.Beginning?.Calls ?? []) Refuse(call, error);
        _state = _state with { Assigning = _state.Assigning.Clear(), Beginning = null };
        GiveUp(_ => new StoreError(error, null), error, halts);
    }

    /// <returns>Why the run pauses for what the store refuses; null if that passes, or another silo may do better.</returns>
    private string? Halts(StoreError error) =>
        !_state.LanesEndWithProcess ? null : error.Reason ?? (error.IsUnforeseen ? ReasonOf(error.Exception) : null);

    /// <summary>A lane hears of a defect as of any coordinator that is gone: it brings its results to the next one.</summary>
    private Exception ToLanes(StoreError error) => error.IsUnforeseen ? Away() : error.Exception;

    /// <summary>
    /// A member's metric lines, or its EMA model, could not be written. What nobody foresaw may pass: the lane brings its results
    /// again. What stays so pauses the run.
    /// </summary>
    /// <returns>What the lane hears.</returns>
    private Exception Missed(int member, StoreError error)
    {
        var watch = Watch(member);
        Watch(member, watch with { Misses = watch.Misses + 1 });
        var stays = error.IsUnforeseen && watch.Misses + 1 >= MostMisses;
        if ((Halts(error) ?? (stays ? ReasonOf(error.Exception) : null)) is not { } reason) return error.IsUnforeseen ? HasFailed(error.Exception) : error.Exception;
        Pause(reason, 0);
        return new NotStoredException(reason);
    }

    /// <summary>
    /// An activation that does not know what the store has knows nothing: another one, that reads it, takes its place; or,
    /// where nobody trains on without this process, the run pauses.
    /// </summary>
    /// <param name="errorOf">Why what waits for a change of the record does not happen.</param>
    /// <param name="away">Why nobody else is answered.</param>
    /// <param name="halts">Why the run pauses; null if another activation takes this one's place.</param>
    private void GiveUp(Func<long, StoreError> errorOf, Exception away, string? halts)
    {
        var awaiting = _state.Awaiting;
        // A write in flight still ends, and is then not one of a change to come.
        _state = _state with { Durable = _state.Version, Writing = 0, WritingRecord = null, Awaiting = [], IsLooking = false };
        foreach (var waiting in awaiting) Fail(waiting.Then, errorOf(waiting.Version), halts);
        if (halts is not null)
        {
            Halt(halts);
            return;
        }

        _state = _state with { IsGone = true };
        EndWaits(away);
        Do(new Deactivate());
    }

    /// <summary>What waited for a write that failed does not happen.</summary>
    private void Fail(Consequence consequence, StoreError error, string? halts)
    {
        switch (consequence)
        {
            case HasBegun begun: FailBeginning(begun, error, halts); break;
            case IsAssigned { Call: var call } when halts is not null: Answer(call, ImmutableArray<MemberAttempt>.Empty); break;
            case WasNotTaken { Call: var call } when halts is not null: Taken(call, null); break;
            case IsPaused { Call: var call } when halts is not null: Answer(call, null); break;
            case IsAssigned { Call: var call }: Refuse(call, ToLanes(error)); break;
            case WasNotTaken { Call: var call }:
                _state = _state with { Assigning = _state.Assigning.Remove(call) };
                Refuse(call, ToLanes(error));
                break;
            case IsPaused { Call: var call }: Refuse(call, error.Exception); break;
            case IsCollected { Call: var call }: Refuse(call, ToLanes(error)); break;
            case IsCommitted { Call: var call }: Refuse(call, ToLanes(error)); break;
            case WasCommitted { Call: var call }: Refuse(call, ToLanes(error)); break;
            case HasLeft { Call: var call }: Refuse(call, ToLanes(error)); break;
            case CanBeDeleted { Call: var call }: Refuse(call, error.Exception); break;
            case CanBeShown shown: foreach (var reply in shown.Calls) Refuse(reply.Call, error.Exception); break;
            // Those that wait for a fold, and for an end, are answered with the others that wait.
            case IsFolded or HasEnded or AreLost or IsConfirmed: break;
            default: throw new InvalidOperationException($"{consequence.GetType().Name} follows from nothing.");
        }
    }

    private CoordinatorGoneException Away() => new($"The coordinator of run \"{_state.Run.Name}\" could not write its record: another one takes its place.");

    private static string ReasonOf(Exception defect) => $"its coordinator failed: {defect.Message}";

    private CoordinatorGoneException HasFailed(Exception defect) => new($"The coordinator of run \"{_state.Run.Name}\" failed: {defect.Message}");

    private CoordinatorGoneException HasHalted() => new($"Run \"{_state.Run.Name}\" has paused: its record could not be written.");
}
