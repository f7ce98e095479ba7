using System.Collections.Immutable;
using DistributedEnsemble.Training;
using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace DistributedEnsemble.Grains;

/// <content>Gives lanes to members.</content>
internal sealed partial class CoordinatorGrain
{
    private const int MostMoves = 50;

    private readonly HashSet<MemberAttempt> _moving = [];
    private KernelKind? _kernels;

    public async Task<MemberAttempt?> AssignNextAsync(LaneGrant grant)
    {
        if (_lock is null || Record.State != RunState.Running) return null;
        if (Record.Members.FirstOrDefault(m => m.State == MemberState.Waiting) is not { } waiting) return null;
        var member = waiting with { State = MemberState.Training, Attempt = waiting.Attempt + 1, Silo = grant.Endpoint, SiloAddress = grant.Silo };
        var isExact = Record.Exact && (Record.Machine is null || grant.Machine.HasBitsOf(Record.Machine, KernelsOfRun()));
        if (!isExact && Record.Exact) _log.MachineDiffers(_run, member.Index, $"{grant.Machine}", $"{Record.Machine}");
        _state.State = Record.With(member) with { Machine = Record.Machine ?? grant.Machine, Exact = isExact };
        _progress.Assigned(member);
        var attempt = new MemberAttempt(member.Index, member.Attempt);
        if (!await TryWriteAsync() || !IsCurrent(attempt)) return null;
        if (await StartTrainingAsync(attempt, member.Checkpoints, grant)) return attempt;

        if (IsCurrent(attempt))
        {
            LetWait(member.Index);
            await TryWriteAsync();
        }

        return null;
    }

    /// <summary>What decides whether machines differ; a network that this silo does not know may run on libtorch.</summary>
    private KernelKind KernelsOfRun()
    {
        try
        {
            return _kernels ??= RunModel.Of(new RunDefinition(Record.Spec, Record.Data), _options.Networks).Network.Kernels;
        }
        catch (SpecException)
        {
            return KernelKind.Libtorch;
        }
    }

    /// <summary>The member is on no lane any more: one will take it.</summary>
    private void LetWait(int member)
    {
        _state.State = Record.With(Record.Members[member].Waiting());
        _progress.Left(member);
    }

    /// <summary>The first call to a member's grain decides its silo.</summary>
    private async Task<bool> StartTrainingAsync(MemberAttempt attempt, ImmutableArray<WeightFile> checkpoints, LaneGrant grant)
    {
        var assignment = new Assignment(attempt, checkpoints) { Silo = grant.Silo };
        var member = GrainFactory.GetGrain<IMember>(MemberKey.Of(_run, attempt.Member));
        for (var tries = MostMoves; ; tries--)
        {
            RequestContext.Set(IPlacementDirector.PlacementHintKey, SiloAddress.FromParsableString(grant.Silo));
            try
            {
                return await member.TrainAsync(assignment);
            }
            catch (MemberElsewhereException) when (tries > 0)
            {
                // It leaves when its turn has ended.
                await Task.Delay(TimeSpan.FromMilliseconds(20), _time);
            }
            catch (Exception exception) when (exception is OrleansException or TimeoutException or MemberElsewhereException)
            {
                _log.NotAssigned(exception, _run, attempt.Member, grant.Endpoint);
                return false;
            }
            finally
            {
                RequestContext.Remove(IPlacementDirector.PlacementHintKey);
            }
        }
    }

    public async Task MoveAsync(MemberAttempt attempt)
    {
        if (!IsCurrent(attempt)) return;
        _moving.RemoveWhere(other => !IsCurrent(other));
        // A grain that has lost sight of its lane cannot tell it: then the lane hears it with its next answer.
        _moving.Add(attempt);
        await GrainFactory.GetGrain<IMember>(MemberKey.Of(_run, attempt.Member)).StopAsync(attempt.Attempt);
    }
}
