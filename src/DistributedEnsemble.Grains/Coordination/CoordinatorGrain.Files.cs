using System.Text;
using System.Text.Json;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Grains.Telemetry;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Averaging;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Coordination;

/// <content>Effects on the files of the run's folder.</content>
internal sealed partial class CoordinatorGrain
{
    private readonly SemaphoreSlim _showing = new(1);
    private byte[]? _json;

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
        try
        {
            if (await _store.SettleAsync(_run)) await Task.Run(() => _folder.Delete(file));
        }
        catch (Exception exception)
        {
            _log.UnnamedNotRemoved(exception, _run);
        }
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
