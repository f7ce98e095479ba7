using System.Collections.Immutable;
using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Scheduling;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Simulation.Worlds;

/// <summary>The shell of the scheduler in a simulated world.</summary>
internal sealed class SchedulerHost : IActivation
{
    public const string Grain = "scheduler";

    private readonly World _world;
    private readonly IReadOnlyList<SimulatedRun> _runs;
    private readonly Queue<PlacementEvent> _events = [];
    private PlacementState _state;
    private bool _isApplying;

    public SchedulerHost(World world, IReadOnlyList<SimulatedRun> runs, Process process)
    {
        (_world, _runs, Process) = (world, runs, process);
        _state = new PlacementState { Since = process.Time };
        process.Has(Grain, this);
        process.After(0, () => Apply(new PlacementDue()));
        process.Every(1000, () =>
        {
            Apply(new PlacementDue());
            // A process that left hands its grains over.
            return !process.IsLeaving;
        });
    }

    public Process Process { get; }

    public void Receive(Action deliver) => deliver();

    public void Apply(PlacementEvent happened)
    {
        if (!Process.View.SequenceEqual(_state.Active)) _events.Enqueue(new MembershipChanged(Process.View));
        _events.Enqueue(happened);
        if (_isApplying) return;
        _isApplying = true;
        while (_events.TryDequeue(out var next))
        {
            (_state, var effects) = _world.Protocol.On(_state, next, Process.Time);
            if (_world.Log is not null && effects.Count > 0) _world.Say($"{Process.Name} scheduler hears {next.GetType().Name} -> {string.Join(", ", effects)}");
            foreach (var effect in effects) Perform(effect);
        }

        _isApplying = false;
    }

    private void Perform(PlacementEffect effect)
    {
        switch (effect)
        {
            case AskRun ask:
                _world.Call(Process, Of(ask.Run).Grain, (run, answer) => ((CoordinatorHost)run).AskLoad(answer), (load, error) => Apply(
                    load is RunLoad said ? new RunAnswered(ask.Run, 1, null, [], null, said, Of(ask.Run).Course.Priority) : error is RunRejectedException ? new RunUnknown(ask.Run) : new RunSilent(ask.Run)));
                break;
            case OfferLanes offer:
                if (!Process.View.Contains(offer.Grant.Silo)) World.Never($"lanes of {offer.Grant.Silo} are offered, which {Process.Name} calls dead");
                _world.Call(Process, Of(offer.Run).Grain, (run, answer) => ((CoordinatorHost)run).Ask(call => new AssignCalled(call, offer.Grant), answer), (attempts, _) => Apply(
                    new OfferAnswered(offer.Number, attempts as ImmutableArray<MemberAttempt>? ?? [])));
                break;
            case MoveMember move:
                FairShares.CheckMove(_world, _runs, move.Run, move.Attempt);
                _world.Call(Process, Of(move.Run).Grain, (run, answer) => ((CoordinatorHost)run).Ask(call => new MoveCalled(call, move.Attempt), answer), (_, _) => { });
                break;
            case ListRuns:
                if (!_world.IsCluster) break;
                Process.After(5, () =>
                {
                    if (!Process.IsCutFromStore && !_runs.Any(run => run.Store.IsAway)) Apply(new RunsListed([.. _runs.Where(run => run.Store.Record is { GoesOn: true }).Select(run => run.Course.Run)]));
                });
                break;
            default: World.Never($"{effect.GetType().Name} is not simulated"); break;
        }
    }

    private SimulatedRun Of(RunKey key) => _runs.First(run => run.Course.Run == key);
}
