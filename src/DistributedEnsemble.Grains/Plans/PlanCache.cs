using System.Collections.Concurrent;
using DistributedEnsemble.Training;

namespace DistributedEnsemble.Grains;

/// <summary>
/// The data and plans of a silo: a dataset is loaded once and shared by all members, as long as the silo lives.
/// </summary>
internal sealed class PlanCache(EnsembleTrainingOptions options, IRunOwnership ownership)
{
    private readonly ConcurrentDictionary<(DataSpec Data, bool IsFormer), Lazy<Dataset>> _datasets = new();
    private readonly ConcurrentDictionary<RunKey, Lazy<TrainingPlan>> _plans = new();

    /// <summary>Completes a spec by what its dataset brings, and plans the run; takes as long as loading the data.</summary>
    /// <exception cref="SpecException">The spec cannot be trained.</exception>
    /// <exception cref="DataException">The data cannot be had.</exception>
    /// <param name="nameFor">Chooses the run's name.</param>
    public TrainingPlan Plan(SpecDocument document, Func<EnsembleSpec, string> nameFor)
    {
        // Before the data is read: what is wrong with the rest of the spec takes no time to find.
        var source = options.Resolve(document.Data, ReadsPaths).Source;
        document.Resolve(source.Defaults, options.Networks.Kinds);
        var dataset = Load(document.Data, null);
        var spec = document.Resolve(dataset.Defaults ?? source.Defaults, options.Networks.Kinds);
        return Fitting(new TrainingPlan(spec with { Name = nameFor(spec) }, dataset, options.Networks));
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

    /// <summary>Clients of a cluster are not this machine's users.</summary>
    private bool ReadsPaths => !ownership.OutlivesProcess;

    /// <param name="recorded">How a run that was started before knows the data. What the same file is taken for today is the same, unless the run is from former times.</param>
    private Dataset Load(DataSpec data, DataDescription? recorded) => Once(
        _datasets, (data with { ValidationFraction = 0 }, IsFormer: recorded is { Version: 1 }), () =>
        {
            var (source, found) = options.Resolve(data, ReadsPaths);
            return source.Load(new DataFolders(options.DataFolder), found, recorded);
        });

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
