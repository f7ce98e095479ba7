using System.Text;
using System.Text.Json;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Grains.Telemetry;
using DistributedEnsemble.Members;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Training.Averaging;
using DistributedEnsemble.Training.Files;
using Orleans.Runtime.Placement;

namespace DistributedEnsemble.Grains.Coordination;

/// <content>Does what the machine says, and tells it how that turned out.</content>
internal sealed partial class CoordinatorGrain
{
    private const int MostMoves = 50;

    private readonly SemaphoreSlim _storing = new(1), _showing = new(1), _holding = new(1);
    private readonly Queue<RunEffect> _effects = [];
    private byte[]? _json;
    private Task _awaited = Task.CompletedTask;

    /// <summary>In the order in which the machine says them: what follows a deletion or the run's release begins when that is done.</summary>
    private void PerformAll()
    {
        while (_awaited.IsCompleted && _effects.TryDequeue(out var effect)) Perform(effect);
    }

    /// <param name="done">Does not fail.</param>
    private void Await(Task done)
    {
        _awaited = done;
        if (!done.IsCompleted) _ = GoOnAsync();

        async Task GoOnAsync()
        {
            await done;
            PerformAll();
        }
    }

    /// <summary>When everything has begun that the machine has said so far.</summary>
    private async Task WhenPerformedAsync()
    {
        while (true)
        {
            PerformAll();
            if (_awaited.IsCompleted) return;
            await _awaited;
        }
    }

    private void Perform(RunEffect effect)
    {
        switch (effect)
        {
            case Reply reply: Close(reply.Call)?.TrySetResult(reply.Answer); break;
            case Refuse refuse: Close(refuse.Call)?.TrySetException(ToCallers(refuse.Error)); break;
            case WriteRecord write: _ = WriteAsync(write); break;
            case ReadRecord: _ = ReadAsync(); break;
            case ClearRecord clear: _ = ClearAsync(clear.Call); break;
            case Claim claim: _ = ClaimAsync(claim); break;
            case Unclaim: Await(Task.Run(() => Try(() => FileRuns.Remove(_folder)))); break;
            case TakeOver take: _ = TakeOverAsync(take.Number); break;
            case WriteDefinition definition: _ = WriteDefinitionAsync(definition); break;
            case ReleaseRun: Await(GiveFreeAsync()); break;
            case Deactivate: DeactivateOnIdle(); break;
            case CallMember call: _ = CallMemberAsync(call); break;
            case StopMember stop: _ = StopMemberAsync(stop.Attempt); break;
            case TellScheduler: GrainFactory.GetGrain<IScheduler>(IScheduler.Key).RunChangedAsync(_run).Ignore(); break;
            case Fold fold: _ = FoldAsync(fold); break;
            case AppendMetrics append: _ = AppendAsync(append); break;
            case DeleteFile delete: Await(DeleteAsync(delete.File.File)); break;
            case WriteStatus status: _ = ShowAsync(status); break;
            case CheckEnd check: _ = CheckEndAsync(check); break;
            case SayInexact said: _log.Inexact(_run, said.Reason); break;
            case SayMachineDiffers said: _log.MachineDiffers(_run, said.Member, $"{said.Machine}", $"{said.First}"); break;
            case SayMemberLost said:
                _log.MemberLost(_run, said.Member, said.Silo);
                _timeline.Lost(said.Member, said.Silo);
                break;
            default: throw new InvalidOperationException($"{effect.GetType().Name} is no effect of a run.");
        }
    }

    /// <summary>Whoever calls tries again after an error of Orleans, and says one of input and output to people.</summary>
    private static Exception ToCallers(Exception error) => error switch
    {
        CoordinatorGoneException => new OrleansException(error.Message),
        NotStoredException => new IOException(error.Message),
        _ => error,
    };

    private TaskCompletionSource<object?>? Close(long call) => _calls.Remove(call, out var answer) ? answer : null;

    private async Task WriteAsync(WriteRecord write)
    {
        var error = await StoreAsync(async () => _version = await _store.WriteAsync(_run, _version, write.Before, write.Record));
        if (error is not null)
        {
            Measurements.StoreFailures.Add(1);
            _log.RecordNotWritten(error, _run);
        }

        Apply(error is null ? new RecordWritten(write.Version) : new RecordNotWritten(write.Version, error));
    }

    private async Task ReadAsync()
    {
        RunRecord? record = null;
        var error = await StoreAsync(async () => record = await ReadStoredAsync());
        if (error is not null) _log.RecordNotWritten(error, _run);
        Apply(new RecordRead(record));
    }

    private async Task ClearAsync(long call)
    {
        var error = await StoreAsync(async () =>
        {
            await _store.ClearAsync(_run);
            await Task.Run(() => FileRuns.Remove(_folder));
        });
        Apply(new RecordCleared(call, error));
    }

    private async Task<RunRecord?> ReadStoredAsync()
    {
        var stored = await _store.ReadAsync(_run);
        _version = stored?.Version ?? RecordVersion.None;
        return stored?.Record;
    }

    /// <summary>One operation on the record after another.</summary>
    private async Task<Exception?> StoreAsync(Func<Task> storeAsync)
    {
        await _storing.WaitAsync();
        try
        {
            await storeAsync();
            return null;
        }
        catch (Exception exception)
        {
            return exception;
        }
        finally
        {
            _storing.Release();
        }
    }

    private async Task ClaimAsync(Claim claim)
    {
        try
        {
            var isOurs = await HoldAsync(async () => _held = await _ownership.ClaimAsync(_run));
            if (isOurs) await Task.Run(() => WriteBoth(claim.Request.Spec, claim.Request.Data));
            Apply(new Claimed(claim.Number, isOurs));
        }
        catch (Exception exception)
        {
            // A folder that was not claimed may be another run's.
            var isOurs = _held is not null;
            await GiveFreeAsync();
            if (isOurs) await Task.Run(() => Try(() => FileRuns.Remove(_folder)));
            Apply(new Claimed(claim.Number, false, exception));
        }
    }

    private async Task TakeOverAsync(long number)
    {
        try
        {
            if (!await HoldAsync(TakeAsync))
            {
                Apply(new TakenOver(number, false, null, null));
                return;
            }
        }
        catch (Exception exception)
        {
            Apply(new TakenOver(number, false, null, null, exception));
            return;
        }

        RunRecord? record = null;
        var error = await StoreAsync(async () => record = await ReadStoredAsync());
        Apply(new TakenOver(number, true, record, record is null ? null : RunAveraging.Of(record), error));
    }

    /// <summary>Takes the run unless it is held already; one taking or giving free after another.</summary>
    /// <param name="held">Told before anybody can give it free.</param>
    /// <returns>Whether it is held.</returns>
    private async Task<bool> HoldAsync(Func<Task> takeAsync, Action? held = null)
    {
        await _holding.WaitAsync();
        try
        {
            // Whoever has ended would never give it free.
            if (_isClosed) return false;
            if (_held is null) await takeAsync();
            if (_held is null) return false;
            held?.Invoke();
            return true;
        }
        finally
        {
            _holding.Release();
        }
    }

    private async Task TakeAsync()
    {
        if ((_held = await _ownership.TryHoldAsync(_folder)) is null) return;
        // It was for the process before.
        await Task.Run(() => _folder.Delete(RunFolder.StopRequestFile));
    }

    private async Task GiveFreeAsync()
    {
        StopTicking();
        await _holding.WaitAsync();
        try
        {
            if (_held is not { } held) return;
            _held = null;
            var error = await Task.Run(() =>
            {
                using (held) return Try(() =>
                {
                    if (FileRuns.IsThere(_folder)) _folder.Delete(RunFolder.StopRequestFile);
                });
            });
            if (error is not null) _log.UnnamedNotRemoved(error, _run);
        }
        finally
        {
            _holding.Release();
        }
    }

    private async Task WriteDefinitionAsync(WriteDefinition definition) =>
        Apply(new DefinitionWritten(definition.Number, await Task.Run(() => Try(() => WriteBoth(definition.Spec, definition.Data)))));

    /// <summary>The record has both: what was damaged of them meanwhile is written again.</summary>
    private void WriteBoth(string spec, string data)
    {
        WriteUnlessThere(RunFolder.SpecFile, Encoding.UTF8.GetBytes(spec));
        WriteUnlessThere(RunFolder.DataFile, Encoding.UTF8.GetBytes(data));

        void WriteUnlessThere(string name, byte[] bytes)
        {
            if (!Has(name, bytes)) _folder.Write(name, bytes);
        }

        bool Has(string name, byte[] bytes)
        {
            try
            {
                return _folder.ReadAllBytes(name).AsSpan().SequenceEqual(bytes);
            }
            catch (Exception exception) when (exception is FileNotFoundException or InvalidDataException)
            {
                return false;
            }
        }
    }

    /// <summary>The first call to a member's grain decides its silo.</summary>
    private async Task CallMemberAsync(CallMember call)
    {
        var assignment = new Assignment(call.Attempt, call.Checkpoints) { Silo = call.Grant.Silo };
        var member = GrainFactory.GetGrain<IMember>(MemberKey.Of(_run, call.Attempt.Member));
        for (var tries = MostMoves; ; tries--)
        {
            try
            {
                RequestContext.Set(IPlacementDirector.PlacementHintKey, SiloAddress.FromParsableString(call.Grant.Silo));
                var isTaken = await member.TrainAsync(assignment);
                Apply(new MemberAnswered(call.Call, call.Attempt, isTaken));
                return;
            }
            catch (MemberElsewhereException) when (tries > 0)
            {
                // It leaves when its turn has ended.
                await Task.Delay(TimeSpan.FromMilliseconds(20), _time);
            }
            catch (Exception exception)
            {
                _log.NotAssigned(exception, _run, call.Attempt.Member, call.Grant.Endpoint);
                Apply(new MemberAnswered(call.Call, call.Attempt, false));
                return;
            }
            finally
            {
                RequestContext.Remove(IPlacementDirector.PlacementHintKey);
            }
        }
    }

    private async Task StopMemberAsync(MemberAttempt attempt)
    {
        try
        {
            await GrainFactory.GetGrain<IMember>(MemberKey.Of(_run, attempt.Member)).StopAsync(attempt.Attempt);
        }
        catch (Exception exception)
        {
            // It hears of it with the answer to what it delivers next, if its silo still lives.
            _log.NotStopped(exception, _run, attempt.Member);
        }
    }

    private async Task FoldAsync(Fold fold)
    {
        try
        {
            var model = await PatientlyAsync(() => Measurements.EmaTime.Timed(() => EmaFiles.Fold(_folder, _run, fold.Model, fold.HandOver, fold.Share)));
            Apply(new Folded(fold.HandOver, model));
        }
        catch (Exception exception)
        {
            Apply(new Folded(fold.HandOver, null, exception));
        }
    }

    private async Task AppendAsync(AppendMetrics append)
    {
        try
        {
            await PatientlyAsync(() => _metrics.Write(append.Member, append.End, append.Lines));
            Apply(new MetricsAppended(append.Member, append.Lines));
        }
        catch (Exception exception)
        {
            Measurements.StoreFailures.Add(1);
            _log.MetricsNotWritten(exception, _run, append.Member);
            Apply(new MetricsAppended(append.Member, append.Lines, exception));
        }
    }

    /// <summary>It does no harm: what cannot be deleted now, or what a copy of the record still names, goes when the run ends.</summary>
    private async Task DeleteAsync(string file)
    {
        if (!await _store.SettleAsync(_run)) return;
        if (await Task.Run(() => Try(() => _folder.Delete(file))) is { } error) _log.UnnamedNotRemoved(error, _run);
    }

    private async Task ShowAsync(WriteStatus show)
    {
        var (bytes, error) = (0L, (Exception?)null);
        try
        {
            bytes = await WriteStatusAsync(() => show.Status);
        }
        catch (Exception exception)
        {
            Measurements.StoreFailures.Add(1);
            _log.StatusNotWritten(error = exception, _run);
        }

        if (show.Tidies) await TidyAsync(show.Record);
        Apply(new StatusWritten(error, bytes));
    }

    /// <returns>The bytes of the file.</returns>
    private async Task<long> WriteStatusAsync(Func<RunStatus> project)
    {
        await _showing.WaitAsync();
        try
        {
            return await Task.Run(() =>
            {
                var status = project();
                var json = JsonSerializer.SerializeToUtf8Bytes(status, RunStatusJson.Options);
                if (Try(() => _timeline.Append(status)) is { } error) _log.TimelineNotWritten(error, _run);
                _json = json;
                if (!MayWait(status)) _folder.Write(RunFolder.StatusFile, json);
                return json.Length;
            });
        }
        finally
        {
            _showing.Release();
        }
    }

    /// <summary>Others take a run of a store of objects for one of a process that has ended when its run.json is old.</summary>
    private void ShowLife()
    {
        _showing.Wait();
        try
        {
            if (_held is not null && _json is { } json) _folder.Write(RunFolder.StatusFile, json);
        }
        finally
        {
            _showing.Release();
        }
    }

    /// <summary>Each object that is written costs something: one that tells of steps alone is written every few seconds.</summary>
    private bool MayWait(RunStatus status)
    {
        var (told, at) = ((status.State, status.Snapshots.Length, status.Ema.Length, status.Members.Count(member => member.State == MemberState.Training)), Now);
        if (!_folder.Storage.Grows && told == _told && at - _toldAt < s_toldEvery) return true;
        (_told, _toldAt) = (told, at);
        return false;
    }

    /// <summary>Old files that the record does not name do no harm: what cannot be removed stays for the next time.</summary>
    private async Task TidyAsync(RunRecord record)
    {
        try
        {
            var now = _time.GetUtcNow();
            await Task.Run(() => UnnamedFiles.Remove(_folder, record, now));
        }
        catch (Exception exception)
        {
            _log.UnnamedNotRemoved(exception, _run);
        }
    }

    private async Task CheckEndAsync(CheckEnd check)
    {
        if (check.Delay > TimeSpan.Zero) await Task.Delay(check.Delay, _time);
        try
        {
            var isTold = await Task.Run(() => !_folder.Exists(RunFolder.SpecFile) || RunStatusFile.Read(_folder)?.State == check.State);
            if (!isTold) await HoldAsync(TakeAsync, () => Apply(new EndFoundUntold()));
        }
        catch (Exception exception)
        {
            _log.EndNotTold(exception, _run);
        }
    }

    /// <summary>A store that is away for a while comes back: what is to be done with its files waits for it.</summary>
    private async Task PatientlyAsync(Action work) => await PatientlyAsync<object?>(() =>
    {
        work();
        return null;
    });

    /// <inheritdoc cref="PatientlyAsync(Action)"/>
    private Task<T> PatientlyAsync<T>(Func<T> work) => _patience.ExecuteAsync(async _ => await Task.Run(work)).AsTask();

    private static Exception? Try(Action act)
    {
        try
        {
            act();
            return null;
        }
        catch (Exception exception)
        {
            return exception;
        }
    }
}
