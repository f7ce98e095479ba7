using System.Collections.Immutable;
using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Telemetry;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;

namespace DistributedEnsemble.Grains.Scheduling;

/// <content>Does what the machine says, and tells it how that turned out.</content>
internal sealed partial class SchedulerGrain
{
    private readonly Queue<PlacementEvent> _events = [];

    /// <summary>The runs of which it was said that they do not answer: they are asked each second.</summary>
    private readonly HashSet<RunKey> _silent = [];
    private MembershipVersion? _members;
    private bool _isApplying;

    /// <summary>One event after another, each with its effects begun before the next.</summary>
    private void Apply(PlacementEvent happened)
    {
        var members = membership.CurrentSnapshot;
        if (members.Version != _members)
        {
            _members = members.Version;
            _events.Enqueue(new MembershipChanged([.. members.Members.Values.Where(silo => silo.Status == SiloStatus.Active).Select(silo => silo.SiloAddress.ToParsableString()).Order(StringComparer.Ordinal)]));
        }

        _events.Enqueue(happened);
        if (_isApplying) return;
        var turn = Turn.Begin();
        _isApplying = true;
        try
        {
            while (_events.TryDequeue(out var next))
            {
                (_state, var effects) = PlacementMachine.On(_state, next, Now);
                foreach (var effect in effects) Perform(effect);
            }
        }
        catch (Exception exception)
        {
            // Whatever is wrong now, the next change or the next second tries again.
            log.NotPlaced(exception);
        }
        finally
        {
            _isApplying = false;
            Measurements.RunsUnfinished.Add(_state.Unfinished - _counted);
            _counted = _state.Unfinished;
            turn.End(Measurements.OfScheduler);
        }
    }

    private void Perform(PlacementEffect effect)
    {
        switch (effect)
        {
            case AskRun ask: _ = AskAsync(ask); break;
            case OfferLanes offer: _ = OfferAsync(offer); break;
            case MoveMember move: _ = MoveAsync(move); break;
            case SayWhatLacks said: log.Lacks(said.Run, said.Silo, said.What); break;
            case ListRuns: _ = ListUnfinishedAsync(); break;
            default: throw new InvalidOperationException($"{effect.GetType().Name} is no effect of a scheduler.");
        }
    }

    private async Task AskAsync(AskRun ask)
    {
        try
        {
            var known = _state.Runs.FirstOrDefault(run => run.Run == ask.Run);
            var (threads, priority, dataset, networks, task) = known is { Threads: { } lanes }
                ? (lanes, known.Priority, known.Dataset, known.Networks, known.Task) : Needs((await definitions.OfAsync(ask.Run)).Definition);
            Apply(new RunAnswered(ask.Run, threads, dataset, networks, task, await Coordinator(ask.Run).GetLoadAsync(), priority));
            _silent.Remove(ask.Run);
        }
        catch (RunRejectedException)
        {
            Apply(new RunUnknown(ask.Run));
            _silent.Remove(ask.Run);
        }
        catch (Exception exception)
        {
            if (_silent.Add(ask.Run)) log.RunSilent(exception, ask.Run);
            Apply(new RunSilent(ask.Run));
        }
    }

    private async Task OfferAsync(OfferLanes offer)
    {
        ImmutableArray<MemberAttempt> assigned = [];
        try
        {
            assigned = await Coordinator(offer.Run).AssignAsync(offer.Grant);
        }
        catch (Exception exception)
        {
            log.RunSilent(exception, offer.Run);
        }

        Apply(new OfferAnswered(offer.Number, assigned));
    }

    private async Task MoveAsync(MoveMember move)
    {
        try
        {
            await Coordinator(move.Run).MoveAsync(move.Attempt);
        }
        catch (Exception exception)
        {
            log.RunSilent(exception, move.Run);
        }
    }

    private async Task ListUnfinishedAsync()
    {
        try
        {
            Apply(new RunsListed(await directory.UnfinishedAsync()));
        }
        catch (Exception exception)
        {
            log.NotListed(exception);
        }
    }

    private ICoordinator Coordinator(RunKey run) => GrainFactory.GetGrain<ICoordinator>(run.ToString());

    private static (int Threads, int Priority, string? Dataset, ImmutableArray<string> Networks, string? Task) Needs(RunDefinition run)
    {
        var spec = EnsembleSpec.FromJson(run.Spec);
        return (
            spec.ThreadsPerMember, spec.Priority, UploadedName.Parse(spec.Data.Dataset) is null && !DatasetRegistry.IsPath(spec.Data.Dataset) ? spec.Data.Dataset : null,
            [.. Enumerable.Range(0, Math.Max(1, spec.Variants.Count)).Select(member => spec.OfMember(member).Model.Kind).Distinct()], DataDescription.TaskOf(run.Data));
    }
}
