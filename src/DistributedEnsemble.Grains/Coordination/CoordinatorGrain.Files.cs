using System.Buffers;
using System.Text;
using System.Text.Json;
using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Grains.Telemetry;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Averaging;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Coordination;

/// <content>Effects on the files of the run's folder.</content>
internal sealed partial class CoordinatorGrain
{
    private static readonly TimeSpan s_toldEvery = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _showing = new(1);
    private (RunState State, int Snapshots, int Ema, int Training) _told;
    private TimeSpan _toldAt;

    /// <summary>The last status that was to be shown, in a buffer that the next one uses again: one of ten thousand members takes many megabytes.</summary>
    private readonly ArrayBufferWriter<byte> _json = new();

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

    /// <summary>What cannot be deleted now does no harm: it goes when the run ends.</summary>
    private async Task DropAsync(WeightFile file)
    {
        try
        {
            await _store.DropAsync(_folder, _run, file);
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
            bytes = await WriteStatusAsync(() => show.Status, show.MayWait);
        }
        catch (Exception exception)
        {
            Measurements.StoreFailures.Add(1);
            _log.StatusNotWritten(error = exception, _run);
        }

        if (show.Tidies) await TidyAsync(show.Record);
        // A store that is away comes back: the next look tries again, and no run pauses for it.
        Apply(new StatusWritten(error is StorageAwayException ? new StoreError(error, Reason: null) : error, bytes));
    }

    /// <param name="mayWait">Whether it need not be written if it tells of steps alone, and the last one is young.</param>
    /// <returns>The bytes of the file.</returns>
    private async Task<long> WriteStatusAsync(Func<RunStatus> project, bool mayWait)
    {
        await _showing.WaitAsync();
        try
        {
            return await Task.Run(() =>
            {
                var status = project();
                var json = Serialize(status);
                if (Try(() => _timeline.Append(status)) is { } error) _log.TimelineNotWritten(error, _run);
                var told = (status.State, status.Snapshots.Length, status.Ema.Length, status.Members.Count(member => member.State == MemberState.Training));
                // Each object that is written costs something.
                if (mayWait && !_folder.Storage.Grows && told == _told && Now - _toldAt < s_toldEvery) return json.Length;
                var at = Now;
                _folder.Write(RunFolder.StatusFile, json);
                (_told, _toldAt) = (told, at);
                return json.Length;
            });
        }
        finally
        {
            _showing.Release();
        }
    }

    private ReadOnlyMemory<byte> Serialize(RunStatus status)
    {
        _json.ResetWrittenCount();
        try
        {
            var options = RunStatusJson.Options;
            using var writer = new Utf8JsonWriter(_json, new JsonWriterOptions { Encoder = options.Encoder, Indented = options.WriteIndented });
            JsonSerializer.Serialize(writer, status, options);
        }
        catch
        {
            _json.ResetWrittenCount();
            throw;
        }

        return _json.WrittenMemory;
    }

    /// <summary>Others take a run of a store of objects for one of a process that has ended when its run.json is old.</summary>
    private void ShowLife()
    {
        _showing.Wait();
        try
        {
            if (_held is not null && _json.WrittenCount > 0) _folder.Write(RunFolder.StatusFile, _json.WrittenMemory);
        }
        finally
        {
            _showing.Release();
        }
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

    /// <summary>
    /// A store that is away for a while comes back: what is to be done with its files waits for it, as long as this activation
    /// has the run. Afterwards the files may be another's.
    /// </summary>
    /// <exception cref="CoordinatorGoneException">The run was given free meanwhile.</exception>
    private async Task PatientlyAsync(Action work) => await PatientlyAsync<object?>(() =>
    {
        work();
        return null;
    });

    /// <inheritdoc cref="PatientlyAsync(Action)"/>
    private async Task<T> PatientlyAsync<T>(Func<T> work)
    {
        try
        {
            return await _patience.ExecuteAsync(async _ => await Task.Run(work), _untilFree.Token);
        }
        catch (OperationCanceledException)
        {
            throw new CoordinatorGoneException($"Run \"{_run.Name}\" was given free while its store was away.");
        }
    }

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
