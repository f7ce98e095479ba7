using System.Text;
using System.Text.Json;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Grains.Telemetry;
using DistributedEnsemble.Members;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Training.Averaging;
using DistributedEnsemble.Training.Files;
using Orleans.Runtime.Placement;

namespace DistributedEnsemble.Grains.Coordination;

/// <content>Does what the machine says, and tells it how that turned out.</content>
internal sealed partial class CoordinatorGrain
{
    private const int MostMoves = 50;

    private readonly Queue<RunEffect> _effects = [];
    private Task _awaited = Task.CompletedTask;

    /// <summary>In the order in which the machine says them: what follows a deletion or the run's release begins when that is done.</summary>
    private void PerformAll()
    {
        while (_awaited.IsCompleted && _effects.TryDequeue(out var effect)) Perform(effect);
    }

    /// <param name="effect">Tells the machine itself how it turned out.</param>
    private void Begin(Task effect) => _ = ObserveAsync(effect);

    /// <summary>What an effect did not foresee is a fault: its outcome never comes.</summary>
    private async Task ObserveAsync(Task effect)
    {
        try
        {
            await effect;
        }
        catch (Exception exception)
        {
            // Whoever has ended has answered everybody.
            if (_isClosed) return;
            _log.EffectFailed(exception, _run);
            Apply(new Faulted(null, exception));
        }
    }

    /// <param name="done">Does not fail.</param>
    private void Await(Task done)
    {
        _awaited = done;
        if (!done.IsCompleted) _ = GoOnAsync();

        async Task GoOnAsync()
        {
            await done;
            PerformAll();
        }
    }

    /// <summary>When everything has begun that the machine has said so far.</summary>
    private async Task WhenPerformedAsync()
    {
        while (true)
        {
            PerformAll();
            if (_awaited.IsCompleted) return;
            await _awaited;
        }
    }

    private void Perform(RunEffect effect)
    {
        switch (effect)
        {
            case Reply reply: Close(reply.Call)?.TrySetResult(reply.Answer); break;
            case Refuse refuse: Close(refuse.Call)?.TrySetException(ToCallers(refuse.Error)); break;
            case WriteRecord write: Begin(WriteAsync(write)); break;
            case ReadRecord: Begin(ReadAsync()); break;
            case ClearRecord clear: Begin(ClearAsync(clear.Call)); break;
            case Claim claim: Begin(ClaimAsync(claim)); break;
            case Unclaim: Await(ObserveAsync(GiveFreeAsync(() => _ownership.UnclaimAsync(_run)))); break;
            case Vacate vacate: Begin(VacateAsync(vacate.Call)); break;
            case TakeOver take: Begin(TakeOverAsync(take.Number)); break;
            case WriteDefinition definition: Begin(WriteDefinitionAsync(definition)); break;
            case ReleaseRun: Await(ObserveAsync(GiveFreeAsync(DropStopRequestAsync))); break;
            case Deactivate: DeactivateOnIdle(); break;
            case CallMember call: Begin(CallMemberAsync(call)); break;
            case StopMember stop: Begin(StopMemberAsync(stop.Attempt)); break;
            case TellScheduler: GrainFactory.GetGrain<IScheduler>(IScheduler.Key).RunChangedAsync(_run).Ignore(); break;
            case Fold fold: Begin(FoldAsync(fold)); break;
            case AppendMetrics append: Begin(AppendAsync(append)); break;
            case DeleteFile delete: Await(ObserveAsync(DropAsync(delete.File))); break;
            case WriteStatus status: Begin(ShowAsync(status)); break;
            case CheckEnd check: Begin(CheckEndAsync(check)); break;
            case SayInexact said: _log.Inexact(_run, said.Reason); break;
            case SayMachineDiffers said: _log.MachineDiffers(_run, said.Member, $"{said.Machine}", $"{said.First}"); break;
            case SayMemberLost said:
                _log.MemberLost(_run, said.Member, said.Silo);
                _timeline.Lost(said.Member, said.Silo);
                break;
            default: throw new InvalidOperationException($"{effect.GetType().Name} is no effect of a run.");
        }
    }

    /// <summary>Whoever calls tries again after an error of Orleans, and says one of input and output to people.</summary>
    private static Exception ToCallers(Exception error) => error switch
    {
        CoordinatorGoneException => new OrleansException(error.Message),
        NotStoredException => new IOException(error.Message),
        _ => error,
    };

    private TaskCompletionSource<object?>? Close(long call) => _calls.Remove(call, out var answer) ? answer : null;

    /// <summary>The first call to a member's grain decides its silo.</summary>
    private async Task CallMemberAsync(CallMember call)
    {
        var assignment = new Assignment(call.Attempt, call.Checkpoints) { Silo = call.Grant.Silo };
        var member = GrainFactory.GetGrain<IMember>(MemberKey.Of(_run, call.Attempt.Member));
        for (var tries = MostMoves; ; tries--)
        {
            try
            {
                RequestContext.Set(IPlacementDirector.PlacementHintKey, SiloAddress.FromParsableString(call.Grant.Silo));
                var isTaken = await member.TrainAsync(assignment);
                Apply(new MemberAnswered(call.Call, call.Attempt, isTaken));
                return;
            }
            catch (MemberElsewhereException) when (tries > 0)
            {
                // It leaves when its turn has ended.
                await Task.Delay(TimeSpan.FromMilliseconds(20), _time);
            }
            catch (Exception exception)
            {
                _log.NotAssigned(exception, _run, call.Attempt.Member, call.Grant.Endpoint);
                Apply(new MemberAnswered(call.Call, call.Attempt, IsTaken: false, IsSiloGone: exception is SiloUnavailableException));
                return;
            }
            finally
            {
                RequestContext.Remove(IPlacementDirector.PlacementHintKey);
            }
        }
    }

    private async Task StopMemberAsync(MemberAttempt attempt)
    {
        try
        {
            await GrainFactory.GetGrain<IMember>(MemberKey.Of(_run, attempt.Member)).StopAsync(attempt.Attempt);
        }
        catch (Exception exception)
        {
            // It hears of it with the answer to what it delivers next, if its silo still lives.
            _log.NotStopped(exception, _run, attempt.Member);
        }
    }
}
