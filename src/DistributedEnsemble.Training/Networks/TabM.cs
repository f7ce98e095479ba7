using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Training.Networks;

/// <summary>
/// An ensemble in one network (Gorishniy et al., "TabM: advancing tabular deep learning with parameter-efficient ensembling",
/// 2025): k multilayer perceptrons that share their hidden weights up to adapters of rank one, each with an output layer of its
/// own. They are trained on the mean of their losses, and a prediction is the mean of theirs.
/// </summary>
public static class TabM
{
    public static IEnumerable<Layer> Design(IReadOnlyList<long> inputShape, int outputs, EnsembleSpec spec) =>
    [
        new Flatten(),
        .. (spec.Model.Hidden ?? []).SelectMany((units, i) => (Layer[])
            [new AdaptedDense(spec.Model.Submodels ?? 1, units, AreSigns: i == 0), new Relu(), .. NetworkRegistry.HiddenDropout(spec)]),
        new SeparateDense(outputs),
    ];
}
