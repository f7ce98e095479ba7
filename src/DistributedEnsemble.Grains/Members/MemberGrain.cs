using DistributedEnsemble.Grains.Lanes;
using DistributedEnsemble.Grains.Plans;
using DistributedEnsemble.Grains.Predictions;
using DistributedEnsemble.Members;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using Orleans.Concurrency;
using Orleans.Placement;

namespace DistributedEnsemble.Grains.Members;

/// <inheritdoc cref="IMember"/>
[Reentrant, Immovable]
internal sealed class MemberGrain : Grain, IMember
{
    private readonly LanePool _lanes;
    private readonly ILaneWorks _works;
    private readonly RunDefinitions _definitions;
    private readonly ConstituentPredictor _predictor;
    private readonly ILocalSiloDetails _silo;
    private readonly RunKey _run;
    private readonly int _member;

    public MemberGrain(LanePool lanes, ILaneWorks works, RunDefinitions definitions, ConstituentPredictor predictor, ILocalSiloDetails silo)
    {
        (_lanes, _works, _definitions, _predictor, _silo) = (lanes, works, definitions, predictor, silo);
        (_run, _member) = MemberKey.Parse(this.GetPrimaryKeyString());
    }

    public async Task<bool> TrainAsync(Assignment assignment)
    {
        var here = _silo.SiloAddress.ToParsableString();
        if (assignment.Silo is { } silo && silo != here)
        {
            // A member that moves: what it left here ends, and the grain goes where this call was meant to find it. One that only ended
            // would be begun again here by the next call that knows this as its place.
            _lanes.Find(_run, _member)?.Abandon();
            this.MigrateOnIdle();
            throw new MemberElsewhereException($"Member {_member} of run \"{_run.Name}\" is on {here}, not on {silo}.");
        }

        var run = await _definitions.OfAsync(_run);
        var known = _lanes.Find(_run, _member);
        if (known?.Attempt == assignment.Attempt) return true;
        known?.Abandon();
        return _lanes.TryStart(_works.Create(run, assignment, GrainFactory.GetGrain<ICoordinator>(_run.ToString())));
    }

    public Task StopAsync(int attempt)
    {
        if (_lanes.Find(_run, _member) is { } work && work.Attempt.Attempt == attempt) work.Stop();
        return Task.CompletedTask;
    }

    public Task<ConstituentAnswers> PredictAsync(ConstituentQuery query, CancellationToken cancellationToken) =>
        _predictor.PredictAsync(_run, query, cancellationToken);
}
