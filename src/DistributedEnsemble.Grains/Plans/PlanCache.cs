using System.Collections.Concurrent;
using DistributedEnsemble.Training;

namespace DistributedEnsemble.Grains;

/// <summary>
/// The data and plans of a silo: a dataset is loaded once and shared by all members, as long as the silo lives.
/// </summary>
internal sealed class PlanCache(EnsembleTrainingOptions options, IRunOwnership ownership)
{
    private readonly ConcurrentDictionary<string, Lazy<Dataset>> _datasets = new();
    private readonly ConcurrentDictionary<RunKey, Lazy<TrainingPlan>> _plans = new();

    /// <summary>Completes a spec by what its dataset brings, and plans the run; takes as long as loading the data.</summary>
    /// <exception cref="SpecException">The spec cannot be trained.</exception>
    /// <exception cref="DataException">The data cannot be had.</exception>
    /// <param name="nameFor">Chooses the run's name.</param>
    public TrainingPlan Plan(SpecDocument document, Func<EnsembleSpec, string> nameFor)
    {
        var source = Resolve(document.Dataset);
        var spec = document.Resolve(source.Defaults, options.Networks.Kinds);
        return Fitting(Plan(spec with { Name = nameFor(spec) }));
    }

    /// <summary>The plan of a run that is to go on here, where there may be less memory than where it began.</summary>
    /// <exception cref="SpecException">Its members do not fit.</exception>
    /// <exception cref="DataException">The data is not what the run was started with.</exception>
    public TrainingPlan PlanAgain(RunKey run, RunDefinition definition) => Fitting(Plan(run, definition));

    /// <summary>The plan of a run that was started, on whatever silo.</summary>
    /// <exception cref="DataException">The data is not what the run was started with.</exception>
    public TrainingPlan Plan(RunKey run, RunDefinition definition) =>
        Once(_plans, run, () => TrainingPlan.Restore(run.Name, definition, Load, options.Networks));

    private TrainingPlan Fitting(TrainingPlan plan)
    {
        TrainingMemory.Check(plan, options.Lanes, TrainingMemory.Available());
        return plan;
    }

    private TrainingPlan Plan(EnsembleSpec spec) => new(spec, Load(spec.Data.Dataset), options.Networks);

    private Dataset Load(string name) =>
        Once(_datasets, name, () => Resolve(name).Load(new DataFolders(options.DataFolder)));

    /// <summary>Clients of a cluster are not this machine's users.</summary>
    private IDatasetSource Resolve(string name) => options.Resolve(name, readsPaths: !ownership.OutlivesProcess);

    /// <summary>Makes each value once, whoever asks at the same time; a failure is not kept.</summary>
    private static TValue Once<TKey, TValue>(ConcurrentDictionary<TKey, Lazy<TValue>> cache, TKey key, Func<TValue> make)
        where TKey : notnull
    {
        var lazy = cache.GetOrAdd(key, _ => new Lazy<TValue>(make));
        try
        {
            return lazy.Value;
        }
        catch
        {
            cache.TryRemove(KeyValuePair.Create(key, lazy));
            throw;
        }
    }
}
