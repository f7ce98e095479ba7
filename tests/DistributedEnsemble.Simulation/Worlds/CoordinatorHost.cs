using System.Collections.Immutable;
using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Scheduling;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Simulation.Worlds;

/// <summary>The shell of a coordinator in a simulated world: it loads, applies, performs effects, and feeds results back.</summary>
internal sealed class CoordinatorHost : IActivation
{
    private static readonly RunRequest s_request = new("{}", "{}", []);

    private readonly World _world;
    private readonly SimulatedRun _run;
    private readonly string _grain;
    private readonly Dictionary<long, (Action<object?, Exception?> Answer, RunCall Call, long At)> _calls = [];
    private readonly Queue<RunEvent> _events = [];
    private readonly List<Action> _early = [];
    private CoordinatorState _state;
    private RecordVersion _version = RecordVersion.None;
    private long _lastCall, _confirmedAt = long.MinValue / 2;
    private bool _isApplying, _isActive, _isClosed, _isTicking;

    public CoordinatorHost(World world, SimulatedRun run, string grain, Process process)
    {
        (_world, _run, _grain, Process) = (world, run, grain, process);
        _state = new CoordinatorState { Run = run.Course.Run, Place = "/runs", LanesEndWithProcess = !world.IsCluster };
        process.Has(grain, this);
        run.Hosts.Add(this);
        run.Breaks++;
        run.Store.Read(process, OnLoaded);
    }

    public Process Process { get; }

    public void Receive(Action deliver)
    {
        if (_isActive || _isClosed) deliver();
        else _early.Add(deliver);
    }

    /// <summary>Calls the coordinator.</summary>
    public void Ask(Func<long, RunCall> ask, Action<object?, Exception?> answer)
    {
        if (_isClosed)
        {
            answer(null, Faults.Away);
            return;
        }

        var call = ask(++_lastCall);
        _calls.Add(_lastCall, (answer, call, _world.Now));
        Apply(call);
    }

    public void AskStatus(Action<object?, Exception?> answer) => Ask(() => _state.StatusAt(Process.Time), answer);

    public void AskLoad(Action<object?, Exception?> answer) => Ask(() => _state.Load(), answer);

    private void Ask(Func<object> tell, Action<object?, Exception?> answer)
    {
        if (_isClosed) answer(null, Faults.Away);
        else
        {
            Apply(new StatusAsked());
            if (_state.Exists) answer(tell(), null);
            else answer(null, Faults.Unknown);
        }
    }

    public void Hear(ImmutableArray<MemberProgress> progress) => Apply(new ProgressReported(progress));

    private void OnLoaded(StoredRun? stored, Exception? error)
    {
        if (error is not null)
        {
            Close();
        }
        else
        {
            var record = stored?.Record;
            (_isActive, _version) = (true, stored?.Version ?? RecordVersion.None);
            Apply(new Activated(record, _run.Course.RunAveraging, record is { GoesOn: true }));
        }

        foreach (var deliver in _early) deliver();
        _early.Clear();
    }

    private void Close()
    {
        _isClosed = true;
        _world.Forget(_grain, this);
        foreach (var (answer, _, _) in _calls.Values) answer(null, Faults.Away);
        _calls.Clear();
    }

    private void Apply(RunEvent happened)
    {
        _events.Enqueue(happened);
        if (_isApplying || _isClosed) return;
        _isApplying = true;
        while (_events.TryDequeue(out var next))
        {
            var before = _state;
            // A decision that cannot be made changes nothing.
            if (next is not Faulted && _world.IsWild && _world.Dice.OneIn(2000)) next = new Faulted(next, Faults.Unforeseen);
            if (next is Faulted or RecordNotWritten) _run.Breaks++;
            (_state, var effects) = _world.Protocol.On(before, next, Process.Time);
            if (_world.Log is not null && (effects.Count > 0 || next is not (Ticked or StatusAsked or ProgressReported))) _world.Say($"{Process.Name} {_run.Course.Run.Name} hears {next.GetType().Name} {Short(next)} -> {string.Join(", ", effects.Select(effect => effect.GetType().Name))}");
            CheckHeard(before, next);
            foreach (var effect in effects) Perform(effect);
        }

        _isApplying = false;
        if (_state.IsHeld && !_isTicking)
        {
            _isTicking = true;
            Process.Every(500, Tick);
        }
    }

    private bool Tick()
    {
        if (_isClosed || !_state.IsHeld) return _isTicking = false;
        ImmutableArray<string> dead = [];
        foreach (var member in _state.Record.Members)
        {
            if (member is { State: MemberState.Training, SiloAddress: { } silo } && !Process.View.Contains(silo) && !dead.Contains(silo)) dead = dead.Add(silo);
        }

        Apply(new Ticked(_run.IsStopRequested, dead));
        _run.IsStopRequested = false;
        return true;
    }

    private void Perform(RunEffect effect)
    {
        var (store, wild) = (_run.Store, _world.IsWild);
        switch (effect)
        {
            case Reply reply: Answer(reply.Call, reply.Answer, null); break;
            case Refuse refuse: Answer(refuse.Call, null, refuse.Error); break;
            case WriteRecord write:
                var begun = _world.Now;
                store.Write(Process, write, _version, (version, error) =>
                {
                    if (error is null) (_version, _confirmedAt) = (version!, begun);
                    Apply(error is null ? new RecordWritten(write.Version) : new RecordNotWritten(write.Version, error));
                });
                break;
            case ReadRecord: store.Read(Process, (stored, error) => Read(stored, error, new RecordRead(stored?.Record))); break;
            case TakeOver take: store.Read(Process, (stored, error) => Read(stored, error, new TakenOver(take.Number, true, stored?.Record, _run.Course.RunAveraging, error))); break;
            case Claim claim: Process.After(5, () => Apply(new Claimed(claim.Number, !store.IsDiskFull, store.IsDiskFull ? Faults.DiskFull : null))); break;
            case WriteDefinition definition: Process.After(5, () => Apply(new DefinitionWritten(definition.Number, store.IsDiskFull ? Faults.DiskFull : null))); break;
            case Unclaim or ReleaseRun or SayInexact or SayMachineDiffers or SayMemberLost: break;
            case Deactivate: Close(); break;
            case CallMember call: CallLane(call); break;
            case StopMember stop: StopLane(stop.Attempt); break;
            case TellScheduler: _world.Tell(Process, SchedulerHost.Grain, scheduler => ((SchedulerHost)scheduler).Apply(new RunChanged(_run.Course.Run))); break;
            case Fold fold: Process.After(_world.Dice.Between(2, wild ? 300 : 10), () => Apply(Folded(fold))); break;
            case AppendMetrics append:
                Process.After(_world.Dice.Between(2, wild ? 200 : 10), () => Apply(new MetricsAppended(append.Member, append.Lines, store.Append(Process, append))));
                break;
            case DeleteFile delete: store.Delete(Process, delete.File); break;
            case WriteStatus status: Show(status); break;
            case CheckEnd check:
                Process.After((long)check.Delay.TotalMilliseconds, () =>
                {
                    if (store.Status?.State != check.State) Apply(new EndFoundUntold());
                });
                break;
            default: World.Never($"{effect.GetType().Name} is not simulated"); break;
        }
    }

    private void Read(StoredRun? stored, Exception? error, RunEvent read)
    {
        if (error is null) _version = stored?.Version ?? RecordVersion.None;
        Apply(read);
    }

    /// <summary>An activation that was replaced shows nothing: it makes sure first that it was not.</summary>
    private void Show(WriteStatus status)
    {
        if (_world.IsCluster && _world.Now - _confirmedAt > 3000) World.Never($"{Process.Name} shows the run, and has not been confirmed for {_world.Now - _confirmedAt} ms");
        Process.After(_world.Dice.Between(1, 10), () => Apply(new StatusWritten(_run.Store.Show(Process, status.Status))));
    }

    private Folded Folded(Fold fold)
    {
        var (store, handOver) = (_run.Store, fold.HandOver);
        if (fold.Share != _run.Course.RunAveraging!.ShareAt(handOver.Member, handOver.Step)) World.Never($"step {handOver.Step} of member {handOver.Member} is folded by a share of {fold.Share}");
        var weights = store.ReadFile(handOver);
        var before = fold.Model is null || fold.Share == 1 ? "0" : store.ReadFile(fold.Model);
        if (weights is null || before is null) return new Folded(handOver, null, Faults.Damaged);
        var sha = Course.Sha(Course.Fold(Course.WeightsOf(before), Course.WeightsOf(weights)));
        var file = RunFolder.Ema(handOver.Member, handOver.Step);
        return store.WriteFile(Process, file, sha) is { } error
            ? new Folded(handOver, null, error)
            : new Folded(handOver, new WeightFile(handOver.Member, handOver.Step, file, sha));
    }

    private void CallLane(CallMember call)
    {
        var isOpen = true;
        Process.After(6000, () => Close(false));
        if (_world.Processes.FirstOrDefault(process => process.Name == call.Grant.Silo) is not { } silo) return;
        _world.Post(Process, silo, () =>
        {
            var isTaken = MemberWork.TryStart(_world, _run, silo, call.Attempt, call.Checkpoints);
            _world.Post(silo, Process, () => Close(isTaken));
        });

        void Close(bool isTaken)
        {
            if (!isOpen) return;
            isOpen = false;
            Apply(new MemberAnswered(call.Call, call.Attempt, isTaken));
        }
    }

    private void StopLane(MemberAttempt attempt)
    {
        foreach (var silo in _world.Processes)
        {
            if (silo.Name == _state.Record.Members[attempt.Member].SiloAddress) _world.Post(Process, silo, () => MemberWork.Find(silo, _run, attempt)?.Stop());
        }
    }

    private void Answer(long number, object? answer, Exception? error)
    {
        if (!_calls.Remove(number, out var waiting)) return;
        if (error is null) CheckAnswer(waiting.Call, answer);
        waiting.Answer(answer, error);
    }

    /// <summary>Nothing is called recorded that the store does not have.</summary>
    private void CheckAnswer(RunCall call, object? answer)
    {
        var record = _run.Store.Record;
        switch (call)
        {
            case CollectCalled { HandOver: { } handOver } when answer is Acknowledgement.Recorded or Acknowledgement.Stop:
                var (weights, collected) = (handOver.Weights, record?.Members[handOver.Weights.Member]);
                if (handOver.IsAveraged && (collected?.Ema?.Step ?? 0) < weights.Step) World.Never($"member {weights.Member} is told that step {weights.Step} is folded, and the record does not have it");
                if (handOver.IsSnapshot && collected?.Snapshots.Any(snapshot => snapshot.Step == weights.Step) != true)
                {
                    World.Never($"member {weights.Member} is told that the snapshot of step {weights.Step} is recorded, and it is not");
                }

                break;
            case CommitCalled { Commit: { } commit } when answer is Acknowledgement.Recorded or Acknowledgement.Stop:
                if ((record?.Members[commit.By.Member].Step ?? -1) < commit.Step) World.Never($"member {commit.By.Member} is told that step {commit.Step} is recorded, and it is not");
                break;
            case AssignCalled when answer is ImmutableArray<MemberAttempt> attempts:
                foreach (var attempt in attempts)
                {
                    if ((record?.Members[attempt.Member].Attempt ?? 0) < attempt.Attempt) World.Never($"member {attempt.Member} is given away, and the record does not say so");
                }

                break;
            case StartCalled when answer is true:
                if (record is null) World.Never("the run is started, and has no record");
                break;
        }
    }

    /// <summary>Only the current attempt is heard.</summary>
    private void CheckHeard(CoordinatorState before, RunEvent happened)
    {
        if (happened is ProgressReported { Progress: var reports } && !ReferenceEquals(before.Progress, _state.Progress) && !reports.Any(report => IsCurrent(before, report.By)))
            World.Never($"the progress of attempt {reports[0].By.Attempt} of member {reports[0].By.Member} is shown, which is not the current one");
        MemberAttempt? speaker = happened switch
        {
            CollectCalled collect => collect.HandOver.By,
            CommitCalled commit => commit.Commit.By,
            FailCalled fail => fail.Failure.By,
            ReleaseCalled release => release.Attempt,
            PauseCalled pause => pause.Attempt,
            _ => null,
        };
        if (speaker is not { } by || before.Record.Members.Count <= by.Member) return;
        var member = before.Record.Members[by.Member];
        if (IsCurrent(before, by)) return;
        if (!ReferenceEquals(before.Record, _state.Record)) World.Never($"attempt {by.Attempt} of member {by.Member} is heard, and the current one is {member.Attempt}, {member.State}");
    }

    private static bool IsCurrent(CoordinatorState state, MemberAttempt by) =>
        state.IsHeld && by.Member < state.Record.Members.Count && state.Record.Members[by.Member] is { State: MemberState.Training } member && member.Attempt == by.Attempt;

    /// <summary>In a quiet world nobody waits for long, whatever went wrong before.</summary>
    public void CheckAnswered()
    {
        if (_isClosed || !_isActive || !Process.IsAble) return;
        foreach (var (_, call, at) in _calls.Values)
        {
            if (_world.Now - Math.Max(at, _world.QuietSince) > World.CallTimeout) World.Never($"{call.GetType().Name} is not answered for {_world.Now - at} ms");
        }
    }

    private static string Short(RunEvent happened) => happened switch
    {
        CollectCalled { HandOver: var handOver } => $"{handOver.By.Member}/{handOver.By.Attempt} step {handOver.Weights.Step}",
        CommitCalled { Commit: var commit } => $"{commit.By.Member}/{commit.By.Attempt} step {commit.Step}{(commit.Finished ? " finished" : "")}",
        ReleaseCalled release => $"{release.Attempt.Member}/{release.Attempt.Attempt}",
        PauseCalled pause => $"{pause.Attempt.Member}/{pause.Attempt.Attempt} {pause.Reason}",
        MemberAnswered answered => $"{answered.Attempt.Member}/{answered.Attempt.Attempt} {answered.IsTaken}",
        Grains.Coordination.Folded folded => $"{folded.HandOver.Member} step {folded.HandOver.Step} {folded.Error?.Exception.Message}",
        RecordNotWritten failed => failed.Error.Exception.Message,
        _ => "",
    };

    public static RunRequest Request(Course course) => s_request with { Loads = [.. Enumerable.Repeat(new MemberLoad(course.Steps, 1), course.Members)] };
}
