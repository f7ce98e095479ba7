using DistributedEnsemble.Training;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Placement;
using Orleans.Runtime;

namespace DistributedEnsemble.Grains;

/// <inheritdoc cref="IMember"/>
[Reentrant, Immovable]
internal sealed class MemberGrain : Grain, IMember
{
    private readonly EnsembleTrainingOptions _options;
    private readonly LanePool _lanes;
    private readonly PlanCache _plans;
    private readonly RunDefinitions _definitions;
    private readonly ConstituentPredictor _predictor;
    private readonly ILocalSiloDetails _silo;
    private readonly TimeSpan _patience;
    private readonly TimeProvider _time;
    private readonly ILogger<MemberWork> _log;
    private readonly RunKey _run;
    private readonly int _member;

    public MemberGrain(
        EnsembleTrainingOptions options, LanePool lanes, PlanCache plans, RunDefinitions definitions, ConstituentPredictor predictor, ILocalSiloDetails silo,
        IRunOwnership ownership, TimeProvider time, ILogger<MemberWork> log)
    {
        (_options, _lanes, _plans, _definitions, _predictor, _silo, _time, _log) = (options, lanes, plans, definitions, predictor, silo, time, log);
        // What another host wrote, a shared folder may show a little later.
        _patience = ownership.OutlivesProcess ? MemberWork.PatienceWithSharedFolders : TimeSpan.Zero;
        (_run, _member) = MemberKey.Parse(this.GetPrimaryKeyString());
    }

    public async Task<bool> TrainAsync(Assignment assignment)
    {
        var here = _silo.SiloAddress.ToParsableString();
        if (assignment.Silo is { } silo && silo != here)
        {
            // A member that moves: what it left here ends, and the grain goes where the next call puts it.
            _lanes.Find(_run, _member)?.Abandon();
            DeactivateOnIdle();
            throw new MemberElsewhereException($"Member {_member} of run \"{_run.Name}\" is on {here}, not on {silo}.");
        }

        var run = await _definitions.OfAsync(_run);
        var known = _lanes.Find(_run, _member);
        if (known?.Attempt == assignment.Attempt) return true;
        known?.Abandon();
        var coordinator = GrainFactory.GetGrain<ICoordinator>(_run.ToString());
        var folder = new RunFolder(_options.RunsFolder, _run.Name);
        return _lanes.TryStart(new MemberWork(run, assignment, folder, _plans, coordinator, _patience, _time, _log));
    }

    public Task StopAsync(int attempt)
    {
        if (_lanes.Find(_run, _member) is { } work && work.Attempt.Attempt == attempt) work.Stop();
        return Task.CompletedTask;
    }

    public Task<ConstituentAnswers> PredictAsync(ConstituentQuery query, CancellationToken cancellationToken) =>
        _predictor.PredictAsync(_run, query, cancellationToken);
}
