using DistributedEnsemble.Training;

namespace DistributedEnsemble.Grains;

/// <content>How runs pause, fail and end.</content>
internal sealed partial class CoordinatorGrain
{
    private bool _isEnding;

    public async Task<Acknowledgement> FailAsync(MemberFailure failure)
    {
        if (!IsCurrent(failure.By)) return Acknowledgement.Superseded;
        var member = Record.Members[failure.By.Member] with { State = MemberState.Failed, Silo = null, Reason = failure.Reason };
        _state.State = Record.With(member);
        _progress.Left(member.Index);
        await _writer.WriteAsync();
        await EndIfDoneAsync();
        return AnswerTo(failure.By);
    }

    public async Task<Acknowledgement> ReleaseAsync(MemberAttempt attempt)
    {
        if (!IsCurrent(attempt)) return Acknowledgement.Superseded;
        LetWait(attempt.Member);
        await _writer.WriteAsync();
        await EndIfDoneAsync();
        // A run that was stopped and resumed before its lanes had left.
        if (Record.State == RunState.Running) await ChangedAsync();
        return AnswerTo(attempt);
    }

    public async Task StopAsync()
    {
        if (Record.State == RunState.Running) await PauseAsync("stopped");
    }

    public async Task PauseAsync(MemberAttempt attempt, string reason)
    {
        if (!IsCurrent(attempt)) return;
        LetWait(attempt.Member);
        await PauseAsync(reason);
    }

    /// <summary>Lets the lanes take their checkpoints; the run has paused when the last one has left.</summary>
    private async Task PauseAsync(string reason)
    {
        if (_lock is null || Record.State is not (RunState.Running or RunState.Paused)) return;
        _state.State = Record with { State = RunState.Paused, Reason = reason };
        if (!await TryWriteAsync()) return;
        await StopLanesAsync([.. Record.Members.Where(m => m.State == MemberState.Training)]);
        await EndIfDoneAsync();
    }

    private async Task StopLanesAsync(IReadOnlyList<MemberRecord> members)
    {
        foreach (var member in members)
        {
            try
            {
                await GrainFactory.GetGrain<IMember>(MemberKey.Of(_run, member.Index)).StopAsync(member.Attempt);
            }
            catch (Exception exception) when (exception is OrleansException or TimeoutException)
            {
                // It hears of it with the answer to what it delivers next, if its silo still lives.
                _log.NotStopped(exception, _run, member.Index);
            }
        }
    }

    /// <summary>
    /// The record cannot be written, and nobody else will: the run pauses as if its process had ended. What is on the disk
    /// holds, lanes are not heard any more, and a resume goes on from there.
    /// </summary>
    private async Task HaltAsync(string reason)
    {
        if (_lock is null) return;
        var lanes = Record.Members.Where(m => m.State == MemberState.Training).ToList();
        Release();
        try
        {
            await _state.ReadStateAsync();
        }
        catch (Exception exception) when (StoreFailure.In(exception) is not null)
        {
            _log.RecordNotWritten(exception, _run);
        }

        if (_lock is not null || !_state.RecordExists) return;
        _progress.Pause();
        _state.State = Record.WithoutLanes() with { State = RunState.Paused, Reason = reason };
        await TryWriteStatusAsync();
        await StopLanesAsync(lanes);
        await ChangedAsync();
    }

    /// <returns>False if the store failed, and the run is paused.</returns>
    private async Task<bool> TryWriteAsync()
    {
        try
        {
            await _writer.WriteAsync();
            return true;
        }
        catch (Exception exception) when (!_ownership.OutlivesProcess && (StoreFailure.In(exception) is not null || _lock is null))
        {
            return false;
        }
    }

    /// <summary>
    /// An activation that does not know what the store has knows nothing: another one, that reads it, takes its place; or, where
    /// nobody trains on without this process, the run pauses.
    /// </summary>
    private async Task WriteRecordAsync()
    {
        // Who waited for this write behind one that failed has nothing in the record any more.
        if (_lock is null && !_ownership.OutlivesProcess) throw new OrleansException($"Run \"{_run.Name}\" has paused: its record could not be written.");
        try
        {
            await _state.WriteStateAsync();
            _writtenAt = _time.GetTimestamp();
        }
        catch (OrleansException exception)
        {
            _log.RecordNotWritten(exception, _run);
            if (!_ownership.OutlivesProcess && StoreFailure.In(exception) is { } reason) await HaltAsync(reason);
            else DeactivateOnIdle();
            throw;
        }
    }

    private Task EndIfDoneAsync()
    {
        // Who ends it writes the record once: a second write would hold the lock after the first has let it go.
        if (_isEnding || Record.Members.Any(m => m.State == MemberState.Training)) return Task.CompletedTask;
        // Lines that could not be written are in the record: they do not keep a run from pausing.
        if (Record.State == RunState.Paused) return EndAsync(RunState.Paused, Record.Reason);
        if (Record.Members.Any(m => m.UnwrittenMetrics is not null)) return Task.CompletedTask;
        if (Record.Members.Any(m => m.State == MemberState.Waiting)) return Task.CompletedTask;
        var failed = Record.Members.Where(m => m.State == MemberState.Failed).ToList();
        return failed.Count == 0 ? EndAsync(RunState.Completed, null)
            : failed.Count < Record.Members.Length
                ? EndAsync(RunState.Degraded, $"{failed.Count} of {Record.Members.Length} members failed: {failed[0].Reason}")
                : EndAsync(RunState.Failed, $"every member failed: {failed[0].Reason}");
    }

    /// <summary>The record is written: a run.json that is late does not keep a run from ending.</summary>
    private async Task TryWriteStatusAsync()
    {
        try
        {
            await WriteStatusAsync(isUnderWay: false);
        }
        catch (Exception exception) when (StoreFailure.In(exception) is not null)
        {
            _log.StatusNotWritten(exception, _run);
        }
    }

    private async Task EndAsync(RunState state, string? reason)
    {
        _progress.Pause();
        _state.State = Record with { State = state, Reason = reason, TrainSeconds = _progress.TrainSeconds };
        _isEnding = true;
        try
        {
            if (!await TryWriteAsync() || !IsStill()) return;
            await TryWriteStatusAsync();
            await RemoveUnnamedAsync();
            if (!IsStill()) return;
            Release();
        }
        finally
        {
            _isEnding = false;
        }

        await ChangedAsync();

        // It may have been ended by another turn, or resumed.
        bool IsStill() => _lock is not null && Record.State == state;
    }

    /// <summary>The activation that ended the run may have died between the record and what follows from it.</summary>
    private async Task TellEndAsync()
    {
        try
        {
            if (await Task.Run(() => !File.Exists(_folder.Spec) || RunStatusFile.Read(_folder)?.State == Record.State)) return;
            await _writer.WriteAsync();
            await WriteStatusAsync(isUnderWay: false);
        }
        catch (Exception exception) when (exception is OrleansException || StoreFailure.In(exception) is not null)
        {
            _log.EndNotTold(exception, _run);
        }
    }

    private Task ChangedAsync() => GrainFactory.GetGrain<IScheduler>(IScheduler.Key).RunChangedAsync(_run);
}
