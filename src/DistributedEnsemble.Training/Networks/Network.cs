using static TorchSharp.torch;

namespace DistributedEnsemble.Training;

/// <summary>A step of a network's function, over weights that the builder gave places to.</summary>
public delegate Tensor Function(Weights weights, Tensor inputs, Noise noise);

/// <summary>A neural network as a function y = f(W, x, z). It owns no weights and no randomness.</summary>
public sealed class Network
{
    private readonly Function _forward;

    /// <param name="inputShape">One row's shape: [features] or [channels, height, width].</param>
    /// <param name="layers">From input to outputs; the last must give a vector.</param>
    /// <exception cref="SpecException">A layer does not fit the shape that it is given.</exception>
    public Network(IReadOnlyList<long> inputShape, IEnumerable<Layer> layers, Precision precision = Precision.Float32)
    {
        Layers = [.. layers];
        var builder = new NetworkBuilder(inputShape, precision);
        _forward = builder.Chain(Layers);
        InputShape = inputShape;
        OutputShape = builder.Shape;
        Layout = new WeightLayout(builder.Tensors);
        HasDropout = builder.Dropouts > 0;
        ActivationsPerRow = builder.Activations;
    }

    /// <summary>From input to outputs.</summary>
    public IReadOnlyList<Layer> Layers { get; }

    public IReadOnlyList<long> InputShape { get; }
    public IReadOnlyList<long> OutputShape { get; }
    public WeightLayout Layout { get; }
    public bool HasDropout { get; }

    /// <summary>Numbers that the layers give for one row, which backward needs again.</summary>
    public long ActivationsPerRow { get; }

    /// <summary>The numbers that the task makes predictions of: the scores (logits) of each class, for one.</summary>
    /// <param name="inputs">[batch, …input shape], float32.</param>
    /// <returns>[batch, outputs], float32.</returns>
    public Tensor Forward(Weights weights, Tensor inputs, Noise noise) => _forward(weights, inputs, noise);
}
