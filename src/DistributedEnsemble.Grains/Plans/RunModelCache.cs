using System.Collections.Concurrent;
using DistributedEnsemble.Training;

namespace DistributedEnsemble.Grains;

/// <summary>The models' function of each run that this silo answers for.</summary>
internal sealed class RunModelCache(EnsembleTrainingOptions options)
{
    private readonly ConcurrentDictionary<RunKey, RunModel> _models = new();

    /// <exception cref="SpecException">The spec names a kind of network that is not registered here.</exception>
    public RunModel Of(RunKey run, RunDefinition definition) =>
        _models.GetOrAdd(run, static (_, given) => RunModel.Of(given.Definition, given.Networks), (Definition: definition, options.Networks));
}
