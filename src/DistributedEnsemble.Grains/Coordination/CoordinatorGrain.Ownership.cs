using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Grains.Telemetry;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Coordination;

/// <content>Takes the run for this process, and gives it free.</content>
internal sealed partial class CoordinatorGrain
{
    private readonly SemaphoreSlim _holding = new(1);

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
            await GiveFreeAsync(() => _ownership.UnclaimAsync(_run));
            Apply(new Claimed(claim.Number, false, exception));
        }
    }

    private async Task VacateAsync(long call)
    {
        try
        {
            Apply(new Vacated(call, await _ownership.UnclaimAsync(_run)));
        }
        catch (Exception exception)
        {
            Apply(new Vacated(call, false, exception));
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

    /// <param name="lastAsync">What is done before others can take it; nothing if it is not held: the folder may be another run's.</param>
    private async Task GiveFreeAsync(Func<Task> lastAsync)
    {
        StopTicking();
        await _holding.WaitAsync();
        try
        {
            if (_held is not { } held) return;
            _held = null;
            await _untilFree.CancelAsync();
            _untilFree = new CancellationTokenSource();
            await Task.Run(async () =>
            {
                using (held) await lastAsync();
            });
        }
        catch (Exception exception)
        {
            _log.UnnamedNotRemoved(exception, _run);
        }
        finally
        {
            _holding.Release();
        }
    }

    private Task DropStopRequestAsync()
    {
        if (_folder.Storage.Has(_run.Name)) _folder.Delete(RunFolder.StopRequestFile);
        return Task.CompletedTask;
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
}
