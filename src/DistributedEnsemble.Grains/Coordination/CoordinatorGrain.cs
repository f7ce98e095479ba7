using System.Collections.Immutable;
using System.Runtime.ExceptionServices;
using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Resilience;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Grains.Telemetry;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Predictions;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Polly;

namespace DistributedEnsemble.Grains.Coordination;

/// <inheritdoc cref="ICoordinator"/>
/// <remarks>A shell around <see cref="RunMachine"/>: it tells the machine what happens, and does what the machine says.</remarks>
[Reentrant]
internal sealed partial class CoordinatorGrain : Grain, ICoordinator, IIncomingGrainCallFilter
{
    private readonly IRunStore _store;
    private readonly EnsembleTrainingOptions _options;
    private readonly ILogger<CoordinatorGrain> _log;
    private readonly RunKey _run;
    private readonly RunFolder _folder;
    private readonly MetricFiles _metrics;
    private readonly Timeline _timeline;
    private readonly IRunOwnership _ownership;
    private readonly ISiloStatusOracle _silos;
    private readonly TimeProvider _time;
    private readonly Dictionary<long, TaskCompletionSource<object?>> _calls = [];
    private readonly Queue<RunEvent> _events = [];
    private readonly RunObservers _observers;
    private CoordinatorState _state;
    private readonly ResiliencePipeline _patience;
    private RecordVersion _version = RecordVersion.None;
    private KernelKind? _kernels;
    private readonly CancellationTokenSource _untilClosed = new();
    private IDisposable? _held;
    private CancellationTokenSource _untilFree = new();
    private long _lastCall;
    private bool _isApplying, _isClosed;
    private ExceptionDispatchInfo? _unread;

    public CoordinatorGrain(
        IRunStore store, EnsembleTrainingOptions options, IRunOwnership ownership, ISiloStatusOracle silos, TimeProvider time, ILogger<CoordinatorGrain> log)
    {
        (_store, _options, _ownership, _silos, _time, _log) = (store, options, ownership, silos, time, log);
        _run = RunKey.Parse(this.GetPrimaryKeyString());
        _folder = options.FolderOf(_run.Name);
        _metrics = new MetricFiles(_folder);
        _timeline = new Timeline(_folder, time);
        _patience = Retries.Of(
            time, most: 60, TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(5), exception => exception is StorageAwayException, (exception, pause) => _log.StorageAway(exception, _run, pause));
        _observers = new RunObservers(time, log);
        _state = new CoordinatorState { Run = _run, Place = _folder.Runs, LanesEndWithProcess = !ownership.OutlivesProcess, Timing = options.Timing };
    }

    private TimeSpan Now => _time.GetElapsedTime(0);

    /// <summary>What a record that cannot be read breaks is told to those who ask: an activation that fails would hold up a silo that stops for 5 s.</summary>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        try
        {
            var record = await ReadStoredAsync();
            var goesOn = record is { GoesOn: true };
            Apply(new Activated(record, goesOn ? RunAveraging.Of(record!) : null, goesOn && await HoldAsync(TakeAsync)));
        }
        catch (Exception exception)
        {
            _unread = ExceptionDispatchInfo.Capture(exception);
        }
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await WhenPerformedAsync();
        try
        {
            // In a cluster another activation may be the newer one.
            if (_held is not null && _state.LanesEndWithProcess) await WriteStatusAsync(() => _state.StatusAt(Now), mayWait: false);
        }
        catch (Exception exception)
        {
            _log.StatusNotWritten(exception, _run);
        }

        // What is still being written gives its turn back later: what it waits by is not disposed.
        Close("has ended.");
        await GiveFreeAsync(DropStopRequestAsync);
    }

    /// <summary>Whoever asks for runs that are not there must not fill a silo with their coordinators.</summary>
    public async Task Invoke(IIncomingGrainCallContext context)
    {
        if (_unread is { } unread)
        {
            // The next call tries anew.
            DeactivateOnIdle();
            unread.Throw();
        }

        try
        {
            await context.Invoke();
        }
        finally
        {
            if (!_state.Exists) Apply(new StatusAsked());
        }
    }

    public Task<bool> StartAsync(RunRequest request)
    {
        var spec = EnsembleSpec.FromJson(request.Spec);
        return AskAsync<bool>(call => new StartCalled(call, request, RunAveraging.Of(spec, member => request.Loads[member])));
    }

    public Task<bool> VacateAsync() => AskAsync<bool>(call => new VacateCalled(call));

    public async Task<RunStatus> GetStatusAsync()
    {
        Apply(new StatusAsked());
        _observers.OnAsked();
        // Whoever hears that a run has ended or paused finds it free.
        if (!_state.IsHeld) await WhenPerformedAsync();
        return Existing.StatusAt(Now);
    }

    public Task WatchAsync(IRunObserver observer)
    {
        _observers.Add(observer);
        return Task.CompletedTask;
    }

    public Task UnwatchAsync(IRunObserver observer)
    {
        _observers.Remove(observer);
        return Task.CompletedTask;
    }

    public Task<RunDefinition> GetDefinitionAsync() => Task.FromResult(new RunDefinition(Existing.Record.Spec, Existing.Record.Data));

    public Task<RunLoad> GetLoadAsync()
    {
        Apply(new StatusAsked());
        return Task.FromResult(Existing.Load());
    }

    public Task<ImmutableArray<MemberAttempt>> AssignAsync(LaneGrant grant) =>
        AskAsync<ImmutableArray<MemberAttempt>>(call => new AssignCalled(call, grant, KernelsOfRun()));

    public Task MoveAsync(MemberAttempt attempt) => AskAsync<object?>(call => new MoveCalled(call, attempt));

    public Task<Acknowledgement> CollectAsync(HandOver handOver) => AskAsync<Acknowledgement>(call => new CollectCalled(call, handOver));

    public Task<Acknowledgement> CommitAsync(Commit commit) => AskAsync<Acknowledgement>(call => new CommitCalled(call, commit));

    public Task<Acknowledgement> FailAsync(MemberFailure failure) => AskAsync<Acknowledgement>(call => new FailCalled(call, failure));

    public Task<Acknowledgement> ReleaseAsync(MemberAttempt attempt) => AskAsync<Acknowledgement>(call => new ReleaseCalled(call, attempt));

    public Task PauseAsync(MemberAttempt attempt, string reason) => AskAsync<object?>(call => new PauseCalled(call, attempt, reason));

    public Task StopAsync() => AskAsync<object?>(call => new StopCalled(call));

    public Task ResumeAsync() => AskAsync<object?>(call => new ResumeCalled(call));

    public Task DeleteAsync() => AskAsync<object?>(call => new DeleteCalled(call));

    public Task ReportProgressAsync(ImmutableArray<MemberProgress> progress)
    {
        Apply(new ProgressReported(progress));
        return Task.CompletedTask;
    }

    private CoordinatorState Existing => _state.Exists ? _state : throw new RunRejectedException($"There is no run \"{_run.Name}\" here.");

    private async Task<T> AskAsync<T>(Func<long, RunCall> ask)
    {
        var (call, answer) = (++_lastCall, new TaskCompletionSource<object?>(TaskCreationOptions.RunContinuationsAsynchronously));
        _calls.Add(call, answer);
        Apply(ask(call));
        return (T)(await answer.Task)!;
    }

    /// <summary>One event after another, each with its effects begun before the next.</summary>
    private void Apply(RunEvent happened)
    {
        _events.Enqueue(happened);
        if (_isApplying || _isClosed) return;
        var turn = Turn.Begin();
        var (shown, isWritten) = (Shown(_state), false);
        _isApplying = true;
        try
        {
            while (_events.TryDequeue(out var next))
            {
                isWritten |= next is MetricsAppended or StatusWritten;
                foreach (var effect in Decide(next)) _effects.Enqueue(effect);
                PerformAll();
            }
        }
        finally
        {
            _isApplying = false;
            turn.End(Measurements.OfCoordinator);
        }

        if (isWritten || Shown(_state) != shown) _observers.OnChanged();
        if (_state.IsHeld && _timer is null) StartTicking();

        static (int, bool, RunState) Shown(CoordinatorState state) => (state.Progress.Changes, state.IsUnderWay, state.Record.State);
    }

    /// <summary>A decision that fails, a defect, has changed nothing: the machine is told, and goes on from the store.</summary>
    private IReadOnlyList<RunEffect> Decide(RunEvent happened)
    {
        try
        {
            (_state, var effects) = RunMachine.On(_state, happened, Now);
            return effects;
        }
        catch (Exception exception)
        {
            _log.Failed(exception, _run, happened.GetType().Name);
            if (happened is not Faulted) return Decide(new Faulted(happened, exception));
            Close($"failed: {exception.Message}");
            DeactivateOnIdle();
            return [];
        }
    }

    /// <summary>Nothing is heard any more, and nobody waits for an answer in vain.</summary>
    private void Close(string why)
    {
        _isClosed = true;
        _untilFree.Cancel();
        _untilClosed.Cancel();
        _events.Clear();
        foreach (var call in _calls.Values) call.TrySetException(new OrleansException($"The coordinator of run \"{_run.Name}\" {why}"));
        _calls.Clear();
    }

    /// <summary>What decides whether machines differ; a network that this silo does not know may run on libtorch.</summary>
    private KernelKind KernelsOfRun()
    {
        if (!_state.Exists) return KernelKind.Libtorch;
        try
        {
            return _kernels ??= RunModel.Of(new RunDefinition(_state.Record.Spec, _state.Record.Data), _options.Networks).Networks.Kernels;
        }
        catch (SpecException)
        {
            return KernelKind.Libtorch;
        }
    }
}
