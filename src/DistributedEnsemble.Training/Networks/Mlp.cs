using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Training.Networks;

/// <summary>A multilayer perceptron: dense, relu and dropout for each hidden layer, then dense.</summary>
public static class Mlp
{
    public static IEnumerable<Layer> Design(IReadOnlyList<long> inputShape, int outputs, EnsembleSpec spec) =>
    [
        new Flatten(),
        .. (spec.Model.Hidden ?? []).SelectMany(units => (Layer[])[new Dense(units), new Relu(), .. NetworkRegistry.HiddenDropout(spec)]),
        new Dense(outputs),
    ];
}
