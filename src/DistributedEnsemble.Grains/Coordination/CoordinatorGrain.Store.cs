using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Grains.Telemetry;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Grains.Coordination;

/// <content>Effects on the run's record.</content>
internal sealed partial class CoordinatorGrain
{
    private readonly SemaphoreSlim _storing = new(1);

    private async Task WriteAsync(WriteRecord write)
    {
        var error = await StoreAsync(async () =>
        {
            // All tries have one version, by which a write is recognized whose answer was lost.
            var (version, next) = (_version, _version.Next());
            _version = await _patience.ExecuteAsync(async _ => await _store.WriteAsync(_run, version, write.Before, write.Record, next), _untilClosed.Token);
        });
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
            await Task.Run(() => _folder.Storage.RemoveAsync(_run.Name, async () =>
            {
                await _store.ClearAsync(_run);
                return true;
            }));
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
}
