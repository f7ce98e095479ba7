using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training;

/// <summary>
/// Turns gradients into updates: one pass over flat vectors, element by element in plain IEEE arithmetic, so that the result
/// depends neither on the width of the machine's vectors nor on who else uses it.
/// </summary>
public abstract class Optimizer : IDisposable
{
    private readonly OptimizerVector[] _state;
    private readonly double _weightDecay;

    private protected Optimizer(WeightLayout layout, double weightDecay, OptimizerKind kind)
    {
        _weightDecay = weightDecay;
        _state = [.. StateNames(kind).Select(name => new OptimizerVector(name, new NativeVector(layout.ParameterCount)))];
    }

    /// <summary>Zero at the beginning.</summary>
    public IReadOnlyList<OptimizerVector> State => _state;

    /// <summary>What the parts of the state are called.</summary>
    public static IReadOnlyList<string> StateNames(OptimizerKind kind) =>
        kind == OptimizerKind.Sgd ? ["velocity"] : ["firstMoment", "secondMoment"];

    public static Optimizer Create(TrainingSpec training, double weightDecay, WeightLayout layout) => training.Optimizer switch
    {
        { Kind: OptimizerKind.Sgd } sgd => new StochasticGradientDescent(layout, sgd.Momentum, weightDecay),
        var adam => new Adam(layout, adam.Beta1, adam.Beta2, adam.Epsilon, weightDecay),
    };

    /// <summary>The update of step t (from 1) with learning rate α.</summary>
    public void Update(Weights weights, int step, double rate)
    {
        var parameters = weights.Parameters.Span;
        if (_weightDecay > 0) Decay(parameters, weights.Layout, (float)(1 - rate * _weightDecay));
        Update(parameters, weights.Gradient!.Span, step, rate);
    }

    private protected abstract void Update(Span<float> parameters, ReadOnlySpan<float> gradient, int step, double rate);

    private protected Span<float> StateVector(int index) => _state[index].Values.Span;

    public void Dispose()
    {
        foreach (var vector in _state) vector.Values.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Decoupled weight decay: w ← (1 − α·λ)·w (Loshchilov and Hutter, 2019, algorithm 2).</summary>
    private static void Decay(Span<float> parameters, WeightLayout layout, float factor)
    {
        foreach (var range in layout.Decayed)
        {
            var weights = parameters[range];
            System.Numerics.Tensors.TensorPrimitives.Multiply(weights, factor, weights);
        }
    }
}
