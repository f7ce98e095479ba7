using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using DistributedEnsemble.Training;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace DistributedEnsemble.Grains;

/// <inheritdoc cref="ICoordinator"/>
[Reentrant]
internal sealed partial class CoordinatorGrain : Grain, ICoordinator, IIncomingGrainCallFilter
{
    private readonly IPersistentState<RunRecord> _state;
    private readonly EnsembleTrainingOptions _options;
    private readonly ILogger<CoordinatorGrain> _log;
    private readonly RunKey _run;
    private readonly RunFolder _folder;
    private readonly MetricFiles _metrics;
    private readonly CoalescedWriter _writer;
    private readonly OneAtATime _showing = new();
    private readonly RunProgress _progress;
    private readonly IRunOwnership _ownership;
    private readonly ISiloStatusOracle _silos;
    private readonly TimeProvider _time;
    private IDisposable? _lock;
    private bool _isUnderWay, _isStarting;
    private IGrainTimer? _timer;
    private int _changesShown;

    public CoordinatorGrain(
        [PersistentState("record", FileRecordStorage.Name)] IPersistentState<RunRecord> state, EnsembleTrainingOptions options,
        IRunOwnership ownership, ISiloStatusOracle silos, TimeProvider time, ILogger<CoordinatorGrain> log)
    {
        (_state, _options, _ownership, _silos, _time, _log) = (state, options, ownership, silos, time, log);
        _run = RunKey.Parse(this.GetPrimaryKeyString());
        _folder = new RunFolder(options.RunsFolder, _run.Name);
        _metrics = new MetricFiles(_folder);
        _writer = new CoalescedWriter(WriteRecordAsync);
        _progress = new RunProgress(_run, time);
    }

    private RunRecord Record => _state.State;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (!_state.RecordExists) return;
        _progress.Start(Record);
        if (!Record.GoesOn && _ownership.OutlivesProcess) await TellEndAsync();
        // Another process may hold the lock: this activation then only answers.
        if (!Record.GoesOn || !TryLock()) return;
        _isUnderWay = _ownership.OutlivesProcess;
        await HoldAsync();
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        // In a cluster another activation may be the newer one.
        if (_lock is not null && !_ownership.OutlivesProcess) await WriteStatusAsync(_isUnderWay);
        Release();
        _metrics.Dispose();
        _folding.Dispose();
        _showing.Dispose();
    }

    /// <summary>Whoever asks for runs that are not there must not fill a silo with their coordinators.</summary>
    public async Task Invoke(IIncomingGrainCallContext context)
    {
        try
        {
            await context.Invoke();
        }
        finally
        {
            if (!_state.RecordExists && !_isStarting) DeactivateOnIdle();
        }
    }

    public async Task<bool> StartAsync(RunRequest request)
    {
        if (_state.RecordExists) return true;
        var isOurs = false;
        _isStarting = true;
        try
        {
            if ((_lock = await _ownership.ClaimAsync(_run)) is null) return false;
            isOurs = true;
            await CreateAsync(request);
            return true;
        }
        catch (Exception exception) when (StoreFailure.In(exception) is { } reason)
        {
            Release();
            // A folder that was not claimed may be another run's.
            if (isOurs) FileRuns.Remove(_folder);
            throw new IOException($"Run \"{_run.Name}\" cannot be stored in {_folder.Runs}: {reason}");
        }
        finally
        {
            _isStarting = false;
        }
    }

    private async Task CreateAsync(RunRequest request)
    {
        await Task.Run(() => WriteDefinition(request.Spec, request.Data));
        var members = EnsembleSpec.FromJson(request.Spec).Members;
        _state.State = new RunRecord
        {
            State = RunState.Running,
            Spec = request.Spec,
            Data = request.Data,
            StepsPerMember = request.StepsPerMember,
            StepsPerEpoch = request.StepsPerEpoch,
            Members = [.. Enumerable.Range(0, members).Select(index => new MemberRecord { Index = index })],
        };
        _progress.Start(Record);
        _isUnderWay = true;
        await _writer.WriteAsync();
        await HoldAsync();
    }

    public Task<RunStatus> GetStatusAsync() => Task.FromResult(_progress.Project(Existing, _isUnderWay));

    public Task<RunDefinition> GetDefinitionAsync() => Task.FromResult(new RunDefinition(Existing.Spec, Existing.Data));

    public Task ReportProgressAsync(ImmutableArray<MemberProgress> progress)
    {
        foreach (var report in progress.Where(report => IsCurrent(report.By)))
        {
            _progress.Report(report);
            Heard(report.By);
        }

        return Task.CompletedTask;
    }

    public async Task ResumeAsync()
    {
        RefuseIfEnded();
        if (_isUnderWay && Record.State == RunState.Running) throw Refused("is in training already.", RunRemedy.Watch);
        if (!TryLock())
        {
            throw Refused("is in training in another process.", RunRemedy.WatchOrStop);
        }

        if (!_isUnderWay) await TakeOverAsync();
        _isUnderWay = true;
        _state.State = Record with { State = RunState.Running, Reason = null };
        try
        {
            var (spec, data) = (Record.Spec, Record.Data);
            await Task.Run(() => WriteDefinition(spec, data));
            await _writer.WriteAsync();
            await HoldAsync();
        }
        catch (Exception exception) when (!_ownership.OutlivesProcess && StoreFailure.In(exception) is { } reason)
        {
            await HaltAsync(reason);
            throw new IOException($"Run \"{_run.Name}\" cannot go on: {reason}");
        }
    }

    public async Task DeleteAsync()
    {
        if (!_ownership.OutlivesProcess) throw Refused("belongs to a folder, and is deleted there.");
        if (Existing.GoesOn) throw Refused("is in training.", RunRemedy.StopThenDelete);
        await _state.ClearStateAsync();
        Release();
        await Task.Run(() => FileRuns.Remove(_folder));
        DeactivateOnIdle();
    }

    /// <summary>
    /// The record as the last process left it, which may be later than this activation read it. Nobody trains its members:
    /// their lanes ended with the process that held the lock.
    /// </summary>
    private async Task TakeOverAsync()
    {
        try
        {
            await _state.ReadStateAsync();
            RefuseIfEnded();
        }
        catch
        {
            Release();
            throw;
        }

        _progress.Start(Record);
        _state.State = Record.WithoutLanes();
    }

    /// <summary>The record has both: what was damaged of them meanwhile is written again.</summary>
    private void WriteDefinition(string spec, string data)
    {
        WriteUnlessThere(_folder.Spec, Encoding.UTF8.GetBytes(spec));
        WriteUnlessThere(_folder.Data, Encoding.UTF8.GetBytes(data));

        void WriteUnlessThere(string path, byte[] bytes)
        {
            if (!Has(path, bytes)) AtomicFile.Write(path, stream => stream.Write(bytes));
        }

        bool Has(string path, byte[] bytes)
        {
            try
            {
                return RegularFile.ReadAllBytes(_folder.Runs, path).AsSpan().SequenceEqual(bytes);
            }
            catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException or InvalidDataException)
            {
                return false;
            }
        }
    }

    private void RefuseIfEnded()
    {
        if (Existing.State == RunState.Failed)
        {
            throw Refused($"has failed ({Record.Reason}) and cannot go on.", RunRemedy.DeleteOrRename);
        }

        if (Record.State is RunState.Completed or RunState.Degraded)
        {
            throw Refused($"is {(Record.State == RunState.Completed ? "completed" : "degraded")}: there is nothing to resume.", RunRemedy.Evaluate);
        }
    }

    private RunRejectedException Refused(string why, RunRemedy remedy = RunRemedy.None) =>
        new($"Run \"{_run.Name}\" {why}") { Remedy = remedy, Run = _run.Name };

    private RunRecord Existing => _state.RecordExists
        ? Record
        : throw new RunRejectedException($"There is no run \"{_run.Name}\" here.");

    private Acknowledgement AnswerTo(MemberAttempt by) =>
        Record.State == RunState.Running && !_moving.Contains(by) ? Acknowledgement.Recorded : Acknowledgement.Stop;

    private bool IsCurrent(MemberAttempt by) =>
        _lock is not null && by.Member < Record.Members.Length && Record.Members[by.Member] is { State: MemberState.Training } member && member.Attempt == by.Attempt;

    private bool TryLock()
    {
        if (_lock is not null) return true;
        if ((_lock = _ownership.TryHold(_folder)) is null) return false;
        // It was for the process before.
        File.Delete(_folder.StopRequest);
        return true;
    }

    /// <summary>
    /// Keeps run.json up to date, obeys requests to stop, and keeps this activation alive, while the run is under way and its lock
    /// is held.
    /// </summary>
    private async Task HoldAsync()
    {
        await WriteStatusAsync(_isUnderWay);
        await RemoveUnnamedAsync();
        _timer ??= this.RegisterGrainTimer(
            _ => TickAsync(), new GrainTimerCreationOptions { DueTime = StatusPeriod, Period = StatusPeriod, Interleave = true, KeepAlive = true });
    }

    private async Task TickAsync()
    {
        if (_lock is null) return;
        if (File.Exists(_folder.StopRequest)) await StopAsync();
        if (!await RecoverAsync()) return;
        try
        {
            await WriteChangesAsync();
        }
        catch (Exception exception) when (StoreFailure.In(exception) is { } reason)
        {
            _log.StatusNotWritten(exception, _run);
            if (!_ownership.OutlivesProcess) await PauseAsync(reason);
        }
    }

    private void Release()
    {
        if (_lock is null) return;
        _timer?.Dispose();
        _timer = null;
        _isUnderWay = false;
        File.Delete(_folder.StopRequest);
        _lock.Dispose();
        _lock = null;
    }

    private async Task WriteChangesAsync()
    {
        using var turn = await _showing.EnterAsync();
        // Who ends the run meanwhile has the last word.
        if (_progress.Changes == _changesShown || _isEnding || _lock is null) return;
        await WriteStatusInTurnAsync(_isUnderWay);
    }

    /// <summary>The later call's run.json is the one that stays.</summary>
    private async Task WriteStatusAsync(bool isUnderWay)
    {
        using var turn = await _showing.EnterAsync();
        await WriteStatusInTurnAsync(isUnderWay);
    }

    private async Task WriteStatusInTurnAsync(bool isUnderWay)
    {
        var changes = _progress.Changes;
        var json = JsonSerializer.SerializeToUtf8Bytes(_progress.Project(Record, isUnderWay), RunStatusJson.Options);
        await Task.Run(() => AtomicFile.Write(_folder.Status, stream => stream.Write(json)));
        _changesShown = changes;
    }

    private static readonly TimeSpan StatusPeriod = TimeSpan.FromMilliseconds(500);
}
