using System.Collections.Concurrent;
using DistributedEnsemble.Grains.Lanes;
using DistributedEnsemble.Grains.Plans;
using DistributedEnsemble.Members;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Benchmarks.Scaling;

/// <summary>Lanes of one silo that deliver what members would, without training: what is measured is everything around it.</summary>
/// <param name="begin">When members begin to deliver.</param>
/// <param name="pause">Between two snapshots of a member.</param>
internal sealed class SimulatedLanes(Task begin, int snapshots, TimeSpan pause) : ILaneWorks
{
    private readonly ConcurrentDictionary<SimulatedWork, bool> _works = new();

    public LaneWork Create(KnownRun run, Assignment assignment, ICoordinator coordinator)
    {
        var work = new SimulatedWork(run, assignment, coordinator, begin, snapshots, pause);
        _works[work] = true;
        return work;
    }

    /// <summary>The members that have a lane here.</summary>
    public IEnumerable<MemberAttempt> Members => _works.Keys.Where(work => !work.IsOver).Select(work => work.Attempt);

    /// <summary>The silo is gone: nothing of its members is heard again.</summary>
    public void Die()
    {
        foreach (var work in _works.Keys) work.Abandon();
    }
}

internal sealed class SimulatedWork(KnownRun run, Assignment assignment, ICoordinator coordinator, Task begin, int snapshots, TimeSpan pause)
    : LaneWork(run.Key, assignment.Attempt)
{
    private readonly TaskCompletionSource _abandoned = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _step;

    public override int Threads => 1;

    public override MemberProgress? Progress => new(Attempt, LaneNumbers[0], _step, null, 0);

    /// <summary>Whether the lane is free again, or never was taken.</summary>
    public bool IsOver => LaneNumbers.IsDefault || _abandoned.Task.IsCompleted;

    public override void Stop() => _stopped.TrySetResult();

    public override void Abandon() => _abandoned.TrySetResult();

    public override async Task RunAsync(Func<Lane> thread, Action yieldCore)
    {
        await Task.WhenAny(begin, _abandoned.Task, _stopped.Task).ConfigureAwait(false);
        // They do not come at the same moment.
        await Task.Delay(pause * (Attempt.Member % 97 / 97.0)).ConfigureAwait(false);
        while (_step < snapshots && !_abandoned.Task.IsCompleted && !_stopped.Task.IsCompleted)
        {
            await Task.Delay(pause).ConfigureAwait(false);
            _step++;
            var file = new WeightFile(Attempt.Member, _step, RunFolder.Snapshot(Attempt.Member, _step), $"{_step:x64}");
            if (await SendAsync(() => coordinator.CollectAsync(new HandOver(Attempt, file, IsSnapshot: true, IsAveraged: false))).ConfigureAwait(false) == Acknowledgement.Superseded) return;
        }

        if (_step < snapshots) await SendAsync(() => coordinator.ReleaseAsync(Attempt)).ConfigureAwait(false);
        else await SendAsync(() => coordinator.CommitAsync(new Commit(Attempt, _step, null, "", _step))).ConfigureAwait(false);
        _abandoned.TrySetResult();
    }

    private async Task<Acknowledgement> SendAsync(Func<Task<Acknowledgement>> send)
    {
        while (!_abandoned.Task.IsCompleted)
        {
            try
            {
                return await send().ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is Orleans.Runtime.OrleansException or TimeoutException)
            {
                await Task.Delay(200).ConfigureAwait(false);
            }
        }

        return Acknowledgement.Superseded;
    }
}
