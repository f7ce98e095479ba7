using DistributedEnsemble.Messages;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Regularization;
using DistributedEnsemble.Training.Torch;

namespace DistributedEnsemble.Training.Networks;

/// <summary>Describes the layers of a network, from input to outputs.</summary>
/// <param name="inputShape">One row's shape: [features] or [channels, height, width].</param>
/// <param name="outputs">Numbers that the last layer gives for each row, or each of its submodels.</param>
public delegate IEnumerable<Layer> NetworkDesign(IReadOnlyList<long> inputShape, int outputs, EnsembleSpec spec);

/// <summary>The kinds of network that a spec can name: the built-in ones, and those that the host adds.</summary>
public sealed class NetworkRegistry
{
    /// <summary>Numbers of the vector that a number becomes.</summary>
    private const int NumberVector = 16;

    private readonly Dictionary<string, NetworkDesign> _designs = new()
    {
        ["mlp"] = Mlp.Design,
        ["tabm"] = TabM.Design,
        ["lenet"] = LeNet.Design,
        ["resnet"] = ResNet.Design,
    };

    public IReadOnlyCollection<string> Kinds => _designs.Keys;

    /// <exception cref="ArgumentException">The kind exists, or is no name.</exception>
    public void Add(string kind, NetworkDesign design)
    {
        if (string.IsNullOrWhiteSpace(kind) || kind.Trim() != kind || kind.Any(char.IsControl))
            throw new ArgumentException($"A network is named {OneLine.Quoted(kind ?? "")}: a spec asks for it by that name, which must be one line, and begin and end with what can be seen.", nameof(kind));
        if (!_designs.TryAdd(kind, design)) throw new ArgumentException($"There is a network \"{kind}\" already: known are {string.Join(", ", Kinds)}. Choose another name.", nameof(kind));
    }

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
            throw new SpecException($"model.kind is \"{spec.Model.Kind}\": known here are {string.Join(", ", Kinds)}. A host's own network is known to the program that registered it: ask there.");
        }

        List<Layer> first = [];
        if (inputs.Chosen is { } chosen) first.Add(new SelectInputs(chosen));
        first.AddRange(Embeddings(spec, inputs.AfterChoice()));
        var shape = first.Count == 0 ? inputs.Shape : new Network(inputs.Shape, first).OutputShape;
        var layers = WithInputDropout(design(shape, outputs, spec), spec);
        var network = new Network(inputs.Shape, first.Concat(layers), spec.Training.Kernels);
        return network.OutputShape.Count is 1 or 2 && network.OutputShape[^1] == outputs
            ? network
            : throw new SpecException(
                $"model.kind \"{spec.Model.Kind}\" gives [{string.Join(", ", network.OutputShape)}] outputs a row: the task takes {outputs}.");
    }

    /// <summary>What comes before the network that a spec names: vectors for levels, then vectors for numbers.</summary>
    private static IEnumerable<Layer> Embeddings(EnsembleSpec spec, NetworkInputs inputs)
    {
        if (inputs.Embedded.Count > 0) yield return new Embedding(inputs.Embedded);
        if (spec.Model.NumericEmbedding is null) yield break;
        if (inputs.Shape.Count != 1)
        {
            throw new SpecException(
                $"model.numericEmbedding is piecewise-linear: it is for the numbers of a table, and \"{spec.Data.Dataset}\" has images. Leave it out.");
        }

        // The first layer has moved the indices of levels to the end.
        NumberInput[] numbers = [.. inputs.Numbers.Value.Select(number => number with { Place = number.Place - inputs.Embedded.Count(input => input.Place < number.Place) })];
        if (numbers.Length > 0) yield return new PiecewiseLinear(numbers, NumberVector);
    }

    private static IEnumerable<Layer> WithInputDropout(IEnumerable<Layer> layers, EnsembleSpec spec) =>
        spec.Regularization.Dropout is { InputRate: > 0 } dropout ? layers.Prepend(new Dropout(dropout.InputRate, dropout.Kind)) : layers;

    /// <summary>The layer that drops channels of a convolution; none unless the spec asks for it.</summary>
    internal static IEnumerable<Dropout> ChannelDropout(EnsembleSpec spec) =>
        spec.Regularization.Dropout is { Rate: > 0, Spatial: true } dropout ? [new Dropout(dropout.Rate, dropout.Kind, IsSpatial: true)] : [];

    /// <summary>The layer that follows a hidden relu; none if dropout is off.</summary>
    internal static IEnumerable<Layer> HiddenDropout(EnsembleSpec spec) =>
        spec.Regularization.Dropout is { Rate: > 0 } dropout ? [new Dropout(dropout.Rate, dropout.Kind)] : [];
}
