using System.Collections.Concurrent;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Torch;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Networks;

/// <summary>A step of a network's function, over weights that the builder gave places to.</summary>
public delegate Tensor Function(Weights weights, Tensor inputs, Noise noise);

/// <summary>A neural network as a function y = f(W, x, z). It owns no weights and no randomness.</summary>
public sealed class Network
{
    /// <summary>What the layers give in a pass that predicts, together.</summary>
    private const long NumbersOfPass = 1 << 19;

    private readonly Function _forward;
    private readonly double _products;
    private readonly OperationBuilder? _operations;
    private readonly IReadOnlyList<TensorPlace> _panels;
    private readonly ConcurrentBag<NetworkFunction> _idle = [];

    /// <param name="inputShape">One row's shape: [features] or [channels, height, width].</param>
    /// <param name="layers">From input to outputs; the last must give a vector.</param>
    /// <exception cref="SpecException">A layer does not fit the shape that it is given.</exception>
    public Network(IReadOnlyList<long> inputShape, IEnumerable<Layer> layers, KernelKind kernels = KernelKind.Own)
    {
        Layers = [.. layers];
        var builder = new NetworkBuilder(inputShape);
        _forward = builder.Chain(Layers);
        _operations = kernels == KernelKind.Own ? builder.Operation : null;
        _panels = builder.Panels;
        (InputShape, InputWidth) = (inputShape, inputShape.Aggregate(1L, (product, size) => product * size));
        OutputShape = builder.Shape;
        Layout = new WeightLayout(builder.Tensors);
        Inexact = builder.Inexact;
        NotOneRow = builder.NotOneRow;
        HasDropout = builder.Dropouts > 0;
        ActivationsPerRow = builder.Activations;
        _products = builder.Products;
    }

    /// <summary>From input to outputs.</summary>
    public IReadOnlyList<Layer> Layers { get; }

    /// <summary>What computes it: kernels of our own where every layer has some, unless libtorch's are asked for.</summary>
    public KernelKind Kernels => _operations is null ? KernelKind.Libtorch : KernelKind.Own;

    public IReadOnlyList<long> InputShape { get; }

    /// <summary>[outputs], or [submodels, outputs].</summary>
    public IReadOnlyList<long> OutputShape { get; }

    /// <summary>
    /// Networks within the network, each of which gives outputs of its own for a row. The loss is the mean of theirs, and so is a prediction.
    /// </summary>
    public int Submodels => OutputShape is [var submodels, _] ? (int)submodels : 1;

    /// <summary>Numbers of one row.</summary>
    public long InputWidth { get; }

    public WeightLayout Layout { get; }
    public bool HasDropout { get; }

    /// <summary>Why no run of it can be repeated bit by bit; null if it can.</summary>
    public string? Inexact { get; }

    /// <summary>Why a step cannot train on one row; null if it can.</summary>
    internal string? NotOneRow { get; }

    /// <summary>Numbers that the layers give for one row, which backward needs again.</summary>
    public long ActivationsPerRow { get; }

    /// <summary>Bytes that a function works in: all of them on kernels of our own, and what backward needs at least on libtorch.</summary>
    public long WorkingBytes(int rows, bool isTrained, int threads = 1)
    {
        if (Kernels == KernelKind.Libtorch) return (long)Int128.Min((Int128)ActivationsPerRow * rows * sizeof(float), long.MaxValue);
        using var team = Team.Of(threads);
        return OwnFunction.Length(this, rows, isTrained, team) * sizeof(float);
    }

    /// <summary>What a step of training takes, in operations on numbers: an estimate, to compare networks by.</summary>
    /// <param name="rows">Of the batch.</param>
    public double StepCost(int rows) => rows * (6 * _products + 10.0 * ActivationsPerRow) + 20.0 * Layout.ParameterCount;

    internal OperationBuilder? Operations => _operations;

    /// <summary>Arranges weights for predictions alone, in place: nothing else can read them afterwards.</summary>
    internal unsafe void Arrange(Weights weights)
    {
        if (Kernels == KernelKind.Libtorch || weights.ArePanels) return;
        weights.ArePanels = true;
        foreach (var place in _panels) Panels.Arrange(weights.Parameters.Start + place.Offset, (int)place.Shape[0], (int)place.Shape[1]);
    }

    /// <summary>A function that goes forward, with the memory that others used before.</summary>
    /// <param name="rows">As many as a pass shall have; kernels of our own take fewer, so that what a pass gives stays in the caches.</param>
    internal RentedFunction Rent(int rows)
    {
        if (Kernels == KernelKind.Libtorch || !_idle.TryTake(out var idle)) return CreateForward(rows, Team.Alone, Kernels == KernelKind.Libtorch ? null : _idle);
        return new RentedFunction(idle, RowsTogether(rows), (int)InputWidth, _idle);
    }

    /// <summary>A function that goes forward, with memory of its own.</summary>
    /// <param name="team">Whose threads compute.</param>
    /// <param name="idle">Where it goes when it is disposed; null disposes it.</param>
    internal RentedFunction CreateForward(int rows, Team team, ConcurrentBag<NetworkFunction>? idle = null) =>
        new(CreateFunction(RowsTogether(rows), isTrained: false, team), RowsTogether(rows), (int)InputWidth, idle);

    private int RowsTogether(int rows) => Kernels == KernelKind.Libtorch
        ? Math.Max(1, rows)
        : (int)Math.Clamp(NumbersOfPass / Math.Max(1, ActivationsPerRow), 16, BatchedPrediction.BatchSize);

    /// <summary>The network as a function of weights, with working memory for one thread.</summary>
    /// <param name="rows">The most that a pass has.</param>
    /// <param name="isTrained">Whether it also goes backward.</param>
    public NetworkFunction CreateFunction(int rows, bool isTrained) => CreateFunction(rows, isTrained, Team.Alone);

    /// <param name="team">Whose threads compute: on kernels of our own the bits are the same with any number.</param>
    /// <inheritdoc cref="CreateFunction(int, bool)"/>
    internal NetworkFunction CreateFunction(int rows, bool isTrained, Team team) =>
        Kernels == KernelKind.Own ? new OwnFunction(this, rows, isTrained, team) : new TorchFunction(this, rows, isTrained, team.Threads);

    /// <summary>The numbers that the task makes predictions of: the scores (logits) of each class, for one.</summary>
    /// <param name="inputs">[batch, …input shape], float32.</param>
    /// <returns>[batch, …output shape], float32.</returns>
    public Tensor Forward(Weights weights, Tensor inputs, Noise noise) => _forward(weights, inputs, noise);
}
