namespace DistributedEnsemble.Training;

/// <summary>Describes the layers of a network, from input to outputs.</summary>
/// <param name="inputShape">One row's shape: [features] or [channels, height, width].</param>
/// <param name="outputs">Numbers that the last layer gives for each row.</param>
public delegate IEnumerable<Layer> NetworkDesign(IReadOnlyList<long> inputShape, int outputs, EnsembleSpec spec);

/// <summary>The kinds of network that a spec can name: the built-in ones, and those that the host adds.</summary>
public sealed class NetworkRegistry
{
    private readonly Dictionary<string, NetworkDesign> _designs = new()
    {
        ["mlp"] = Mlp.Design,
        ["lenet"] = LeNet.Design,
        ["resnet"] = ResNet.Design,
    };

    public IReadOnlyCollection<string> Kinds => _designs.Keys;

    /// <exception cref="ArgumentException">The kind exists.</exception>
    public void Add(string kind, NetworkDesign design) => _designs.Add(kind, design);

    /// <summary>A network of one's own that TorchSharp computes. Where libtorch is another, or the CPU, its bits are others.</summary>
    /// <exception cref="ArgumentException">The kind exists.</exception>
    public void AddModule(string kind, ModuleDesign design) =>
        Add(kind, (inputShape, outputs, spec) => [new ModuleLayer(kind, design, outputs, spec.Model.Settings)]);

    /// <inheritdoc cref="Build(EnsembleSpec, NetworkInputs, int)"/>
    public Network Build(EnsembleSpec spec, IReadOnlyList<long> inputShape, int outputs) => Build(spec, new NetworkInputs(inputShape, []), outputs);

    /// <exception cref="SpecException">The kind is unknown, or does not fit the data.</exception>
    public Network Build(EnsembleSpec spec, NetworkInputs inputs, int outputs)
    {
        if (!_designs.TryGetValue(spec.Model.Kind, out var design))
        {
            throw new SpecException($"model.kind is \"{spec.Model.Kind}\": known are {string.Join(", ", Kinds)}.");
        }

        Embedding? embedding = inputs.Embedded.Count > 0 ? new(inputs.Embedded) : null;
        var shape = embedding is null ? inputs.Shape : new Network(inputs.Shape, [embedding]).OutputShape;
        var layers = WithInputDropout(design(shape, outputs, spec), spec);
        var network = new Network(inputs.Shape, embedding is null ? layers : layers.Prepend(embedding), spec.Training.Kernels);
        return network.OutputShape is [var given] && given == outputs
            ? network
            : throw new SpecException(
                $"model.kind \"{spec.Model.Kind}\" gives [{string.Join(", ", network.OutputShape)}] outputs a row: the task takes {outputs}.");
    }

    private static IEnumerable<Layer> WithInputDropout(IEnumerable<Layer> layers, EnsembleSpec spec) =>
        spec.Regularization.Dropout is { InputRate: > 0 } dropout ? layers.Prepend(new Dropout(dropout.InputRate, dropout.Kind)) : layers;

    /// <summary>The layer that follows a hidden relu; none if dropout is off.</summary>
    internal static IEnumerable<Layer> HiddenDropout(EnsembleSpec spec) =>
        spec.Regularization.Dropout is { Rate: > 0 } dropout ? [new Dropout(dropout.Rate, dropout.Kind)] : [];
}
