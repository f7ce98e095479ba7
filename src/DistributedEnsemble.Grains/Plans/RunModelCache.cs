using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Grains.Plans;

/// <summary>The models' function of each run that this silo has answered for lately.</summary>
internal sealed class RunModelCache(EnsembleTrainingOptions options)
{
    private const int Remembered = 64;

    private readonly RecentlyUsed<(RunKey Run, string Definition), RunModel> _models = new(Remembered);

    /// <exception cref="SpecException">The spec names a kind of network that is not registered here.</exception>
    public RunModel Of(KnownRun run) => _models.TryGet((run.Key, run.Sha256), out var model)
        ? model
        : _models.Add((run.Key, run.Sha256), RunModel.Of(run.Definition, options.Networks));
}
