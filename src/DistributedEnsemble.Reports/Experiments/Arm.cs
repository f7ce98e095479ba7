using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Reports.Experiments;

/// <summary>One way of training in a comparison: every seed trains it anew.</summary>
/// <param name="Name">As results name it.</param>
/// <param name="Spec">A spec, as JSON; the seed, and the members if there are fewer, are set by the experiment.</param>
/// <param name="Members">Members that are trained for each seed.</param>
/// <param name="MonteCarloSamples">Dropout masks with which the models are predicted besides weight scaling; 0 is none.</param>
public sealed record Arm(string Name, string Spec, int Members, int MonteCarloSamples = 0)
{
    /// <summary>The plan of one seed.</summary>
    public TrainingPlan Plan(Dataset dataset, IDatasetSource source, ulong seed)
    {
        var document = SpecDocument.Parse(Spec).With("seed", $"{seed}").With("members", $"{Members}").With("data.dataset", dataset.Name);
        return new TrainingPlan(document.Resolve(source.Defaults), dataset, new NetworkRegistry());
    }
}
