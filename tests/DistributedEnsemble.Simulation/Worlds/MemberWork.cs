using System.Collections.Immutable;
using System.Text;
using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Simulation.Worlds;

/// <summary>A member on a lane: a chain of hashes instead of training, and the same outbox, which delivers in order behind its back.</summary>
internal sealed class MemberWork
{
    private const int Outstanding = 2;

    /// <summary>The longest pause before a call is tried again: milliseconds.</summary>
    private const int LongestPause = 5000;

    /// <summary>In a quiet world an attempt that was replaced ends within a call that is lost, a pause, and the next call.</summary>
    private const int Window = World.CallTimeout + LongestPause + 2000;

    private readonly World _world;
    private readonly SimulatedRun _run;
    private readonly Process _silo;
    private readonly Queue<Action> _outbox = [];
    private readonly StringBuilder _lines = new();
    private ulong _weights;
    private readonly long _begunAt;
    private int _step, _lastCheckpoint, _outstanding;
    private bool _isStopping, _isAbandoned, _isDone, _isDelivering, _isWaiting;

    private MemberWork(World world, SimulatedRun run, Process silo, MemberAttempt attempt)
    {
        (_world, _run, _silo, _begunAt, Attempt) = (world, run, silo, world.Now, attempt);
    }

    public MemberAttempt Attempt { get; }

    public RunKey Run => _run.Course.Run;

    private int Last => _run.Course.End(Attempt.Member);

    public MemberProgress Progress => new(Attempt, 0, _step, null, 0);

    public static MemberWork? Find(Process silo, SimulatedRun run, MemberAttempt attempt) =>
        silo.Works.FirstOrDefault(work => work._run == run && work.Attempt == attempt);

    /// <summary>What a member's grain does with an order.</summary>
    public static bool TryStart(World world, SimulatedRun run, Process silo, MemberAttempt attempt, ImmutableArray<WeightFile> checkpoints)
    {
        var known = silo.Works.FirstOrDefault(work => work._run == run && work.Attempt.Member == attempt.Member);
        if (known?.Attempt == attempt) return true;
        known?.Abandon();
        if (silo.IsLeaving || silo.Works.Count >= silo.Lanes) return false;
        var elsewhere = world.Processes.FirstOrDefault(other => other != silo && other.IsAlive && Find(other, run, attempt) is not null);
        if (elsewhere is not null) World.Never($"attempt {attempt.Attempt} of member {attempt.Member} trains on {elsewhere.Name} and on {silo.Name}");
        var work = new MemberWork(world, run, silo, attempt);
        silo.Works.Add(work);
        world.LanesChangedAt = world.Now;
        silo.Taken++;
        if (attempt.Attempt > run.Newest.GetValueOrDefault(attempt.Member).Attempt) run.Newest[attempt.Member] = (attempt.Attempt, world.Now);
        silo.After(world.Dice.Between(5, 50), () => work.Begin(checkpoints));
        return true;
    }

    /// <summary>Lets it take a checkpoint after the current step, and leave.</summary>
    public void Stop() => _isStopping = true;

    /// <summary>An attempt that was replaced trains beside the one that replaced it no longer than the design lets it.</summary>
    public void CheckReplaced(long window = Window)
    {
        if (_isAbandoned || _isDone || _world.IsWild || !_silo.IsAble) return;
        var (newest, at) = _run.Newest[Attempt.Member];
        var time = _world.Now - Math.Max(Math.Max(at, _begunAt), Math.Max(_silo.ReachableSince, _world.QuietSince));
        if (newest > Attempt.Attempt && time > window) World.Never($"attempt {Attempt.Attempt} of member {Attempt.Member} is on {_silo.Name} for {time} ms beside attempt {newest}");
    }

    /// <summary>Whether the record has given the member to another attempt.</summary>
    private bool IsReplaced => _run.Store.Record?.Members[Attempt.Member].Attempt > Attempt.Attempt;

    private void Abandon() => _isAbandoned = true;

    private void Begin(ImmutableArray<WeightFile> checkpoints)
    {
        _weights = Course.First(Attempt.Member);
        foreach (var checkpoint in checkpoints)
        {
            if (_run.Store.ReadFile(checkpoint) is not { } sha) continue;
            (_weights, _step) = (Course.WeightsOf(sha), checkpoint.Step);
            break;
        }

        _lastCheckpoint = _step;
        Continue();
    }

    private void Continue()
    {
        if (_isDone) return;
        if (_isAbandoned) End();
        else if (_step == Last || _isStopping) Leave();
        else _silo.After(_run.Course.StepTime, Advance);
    }

    private void Advance()
    {
        if (_isDone) return;
        if (_isAbandoned)
        {
            End();
            return;
        }

        CheckReplaced();
        var (course, member) = (_run.Course, Attempt.Member);
        _step++;
        _weights = Course.Train(_weights, member, _step);
        _lines.Append(Course.LineOf(_step));
        if (member == course.Failing && _step == 2)
        {
            Add(() => Send(call => new FailCalled(call, new MemberFailure(Attempt, 2, "the loss is NaN"))));
            LeaveSoon();
            return;
        }

        var (step, sha) = (_step, Course.Sha(_weights));
        var (isSnapshot, isAveraged) = (course.IsSnapshot(step), course.IsAveraged(member, step));
        if (isSnapshot || isAveraged) HandOver(step, sha, isSnapshot, isAveraged);
        if (step < Last && step - _lastCheckpoint >= course.CheckpointSteps && !_isStopping)
        {
            _lastCheckpoint = step;
            Commit(step, sha);
        }

        WhenThereIsRoom(Continue);
    }

    private string SnapshotFile(int step, string sha)
    {
        var file = RunFolder.Snapshot(Attempt.Member, step);
        return _run.Store.ShaOf(file) is { } known && known != sha ? RunFolder.Snapshot(Attempt.Member, step, Attempt.Attempt) : file;
    }

    private void HandOver(int step, string sha, bool isSnapshot, bool isAveraged)
    {
        var file = isSnapshot ? SnapshotFile(step, sha) : RunFolder.HandOver(Attempt.Member, step);
        var weights = new WeightFile(Attempt.Member, step, file, sha);
        Add(() => Save(file, sha, call => new CollectCalled(call, new HandOver(Attempt, weights, isSnapshot, isAveraged))));
    }

    private void Commit(int step, string sha)
    {
        var (lines, file) = (TakeLines(), RunFolder.Checkpoint(Attempt.Member, step, Attempt.Attempt));
        var checkpoint = new WeightFile(Attempt.Member, step, file, sha);
        Add(() => Save(file, sha, call => new CommitCalled(call, new Commit(Attempt, step, checkpoint, lines, FinalStep: null))));
    }

    private void Leave()
    {
        if (_step == Last)
        {
            var (course, final, lines) = (_run.Course, _run.Course.Final(Attempt.Member), TakeLines());
            // A member's checkpoints have its best weights beside it.
            if (!course.IsSnapshot(final)) HandOver(final, course.ShaAt(Attempt.Member, final), isSnapshot: true, isAveraged: false);
            Add(() => Send(call => new CommitCalled(call, new Commit(Attempt, Last, null, lines, final))));
        }
        else
        {
            Commit(_step, Course.Sha(_weights));
            Add(() => Send(call => new ReleaseCalled(call, Attempt)));
        }

        LeaveSoon();
    }

    private string TakeLines()
    {
        var lines = _lines.ToString();
        _lines.Clear();
        return lines;
    }

    /// <summary>When all is delivered or dropped, the lane is free.</summary>
    private void LeaveSoon()
    {
        if (_outbox.Count == 0 && !_isDelivering) End();
        else _silo.After(5, LeaveSoon);
    }

    private void End()
    {
        if (_isDone) return;
        _isDone = true;
        _silo.Works.Remove(this);
        _world.LanesChangedAt = _world.Now;
        Silo.Announce(_world, _silo);
    }

    private void WhenThereIsRoom(Action then)
    {
        if (_outstanding < Outstanding || _isAbandoned)
        {
            then();
            return;
        }

        _isWaiting = true;
    }

    private void Add(Action deliver)
    {
        _outstanding++;
        _outbox.Enqueue(deliver);
        DeliverNext();
    }

    private void DeliverNext()
    {
        if (_isDelivering || !_outbox.TryDequeue(out var next)) return;
        if (_isAbandoned)
        {
            _outbox.Clear();
            return;
        }

        _isDelivering = true;
        next();
    }

    private void Delivered()
    {
        _isDelivering = false;
        _outstanding--;
        DeliverNext();
        if (!_isWaiting) return;
        _isWaiting = false;
        Continue();
    }

    /// <summary>Writes a file and tells of it, again and again until the coordinator has answered.</summary>
    private void Save(string file, string sha, Func<long, RunCall> tell, int pause = 100) => _silo.After(_world.Dice.Between(1, _run.Store.Slowness), () =>
    {
        if (_isAbandoned) Delivered();
        else if (_run.Store.WriteFile(_silo, file, sha) is { } error) NotStored(error);
        else Call(tell, longer => Save(file, sha, tell, longer), pause);
    });

    private void Send(Func<long, RunCall> tell, int pause = 100) => Call(tell, longer => Send(tell, longer), pause);

    private void Call(Func<long, RunCall> tell, Action<int> again, int pause)
    {
        var wasReplaced = IsReplaced;
        CheckReplaced();
        _world.Call(_silo, _run.Grain, (run, answer) => ((CoordinatorHost)run).Ask(tell, answer), (answer, error) =>
        {
            if (_isAbandoned) Delivered();
            else if (error is null)
            {
                if (wasReplaced && IsReplaced && (Acknowledgement)answer! == Acknowledgement.Recorded) World.Never($"attempt {Attempt.Attempt} of member {Attempt.Member} is let train on, and was replaced before it asked");
                Heard((Acknowledgement)answer!);
            }
            else if (error is CoordinatorGoneException or Orleans.Runtime.OrleansException or TimeoutException) _silo.After(pause, () => again(Math.Min(pause * 2, LongestPause)));
            else NotStored(error);
        });
    }

    private void Heard(Acknowledgement answer)
    {
        if (answer == Acknowledgement.Superseded) Abandon();
        if (answer == Acknowledgement.Stop) Stop();
        Delivered();
    }

    /// <summary>Whoever does not hear of it misses this lane after a while, and gives the member to another.</summary>
    private void NotStored(Exception error)
    {
        Abandon();
        Pause(5);
        Delivered();

        void Pause(int tries) => _world.Call(
            _silo, _run.Grain, (run, answer) => ((CoordinatorHost)run).Ask(call => new PauseCalled(call, Attempt, error.Message), answer), (_, failed) =>
            {
                if (failed is not null && tries > 1) _silo.After(100, () => Pause(tries - 1));
            });
    }
}
