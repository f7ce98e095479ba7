using DistributedEnsemble.Training;
using Orleans.Runtime;

namespace DistributedEnsemble.Grains;

/// <content>Gives free lanes to waiting members, and evens the load when silos come.</content>
internal sealed partial class SchedulerGrain
{
    /// <summary>A member that moved leaves a lane and takes another: only then is the next one looked at.</summary>
    private static readonly TimeSpan s_betweenMoves = TimeSpan.FromSeconds(3);

    /// <summary>A run that is silent for longer is passed over: the others' members do not wait for its silo to be called dead.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2), s_patienceWithOrders = TimeSpan.FromSeconds(10);

    private long? _movedAt;

    /// <summary>Who told of a change need not wait for what follows from it: a silo has to speak again before it counts as silent.</summary>
    private void Place()
    {
        _placeAgain = true;
        if (!_isPlacing) _ = PlaceAllAsync();    // Tells of its failures itself.
    }

    /// <summary>
    /// Gives free lanes to waiting members, one at a time: to the run that holds the fewest lanes, on the silo that has the
    /// fewest members.
    /// </summary>
    private async Task PlaceAllAsync()
    {
        _isPlacing = true;
        try
        {
            while (_placeAgain)
            {
                _placeAgain = false;
                await AskAllAsync();
                if (!_silos.IsComplete) return;
                while (Placement.Next(_runs, _silos.Alive) is var (run, silo)) await PlaceAsync(run, silo);
                await MoveAsync();
            }
        }
        catch (Exception exception)
        {
            // Whatever is wrong now, the next change or the next second tries again.
            log.NotPlaced(exception);
        }
        finally
        {
            _isPlacing = false;
        }
    }

    private Task AskAllAsync() => Task.WhenAll(_runs.Where(run => run.MayWait).ToList().Select(AskAsync));

    /// <summary>Hears how a run is; one that does not say so in time is silent until it does.</summary>
    private async Task AskAsync(ActiveRun run)
    {
        run.MayWait = false;
        if (run.Question.IsCompleted) run.Question = HearAsync(run);
        try
        {
            await run.Question.WaitAsync(s_patience, time);
        }
        catch (TimeoutException exception)
        {
            log.RunSilent(exception, run.Run);
            run.Status = null;
        }
    }

    /// <summary>Never fails: whatever is wrong with one run, the others' members get their lanes.</summary>
    private async Task HearAsync(ActiveRun run)
    {
        try
        {
            var coordinator = GrainFactory.GetGrain<ICoordinator>(run.Run.ToString());
            if (run.Threads is null) Learn(run, EnsembleSpec.FromJson((await definitions.OfAsync(run.Run)).Definition.Spec));
            run.Status = await coordinator.GetStatusAsync();
            var isStill = run.Status.State != RunState.Running && run.Status.Members.All(member => member.State != MemberState.Training);
            if (isStill && !run.MayWait) _runs.Remove(run);
        }
        catch (RunRejectedException)
        {
            // It was deleted.
            _runs.Remove(run);
        }
        catch (Exception exception)
        {
            log.RunSilent(exception, run.Run);
            run.Status = null;
        }
    }

    private static void Learn(ActiveRun run, EnsembleSpec spec)
    {
        run.Threads = spec.ThreadsPerMember;
        run.Members = spec.Members;
        run.Dataset = UploadedName.Parse(spec.Data.Dataset) is null && !DatasetRegistry.IsPath(spec.Data.Dataset) ? spec.Data.Dataset : null;
    }

    private async Task PlaceAsync(ActiveRun run, SiloReport silo)
    {
        MemberAttempt? assigned = null;
        try
        {
            // One that comes about later is in its silo's next report.
            assigned = await GrainFactory.GetGrain<ICoordinator>(run.Run.ToString())
                .AssignNextAsync(new LaneGrant(silo.Silo, silo.Endpoint, silo.Machine)).WaitAsync(s_patienceWithOrders, time);
        }
        catch (Exception exception)
        {
            log.RunSilent(exception, run.Run);
        }

        if (assigned is { } attempt) _silos.Use(silo.Silo, new LaneUse(run.Run, attempt, run.Threads!.Value));
        await AskAsync(run);
        if (assigned is null && run.Waiting > 0) _silos.Distrust(silo.Silo);
    }

    private async Task MoveAsync()
    {
        if (_movedAt is { } at && time.GetElapsedTime(at) < s_betweenMoves) return;
        if (Placement.Move(_runs, _silos.Alive) is not var (run, attempt)) return;
        _movedAt = time.GetTimestamp();
        try
        {
            await GrainFactory.GetGrain<ICoordinator>(run.Run.ToString()).MoveAsync(attempt).WaitAsync(s_patienceWithOrders, time);
        }
        catch (Exception exception)
        {
            log.RunSilent(exception, run.Run);
        }
    }
}
