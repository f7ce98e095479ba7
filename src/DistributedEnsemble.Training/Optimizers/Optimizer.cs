using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Training.Optimizers;

/// <summary>
/// Turns gradients into updates: one pass over flat vectors, element by element in plain IEEE arithmetic, so that the result
/// depends neither on the width of the machine's vectors nor on who else uses it.
/// </summary>
public abstract class Optimizer : IDisposable
{
    private readonly OptimizerVector[] _state;
    private readonly double _weightDecay;
    private readonly Team _team;
    private readonly Action<int, int> _part;
    private Weights? _weights;
    private int _step;
    private double _rate;

    private protected Optimizer(WeightLayout layout, double weightDecay, OptimizerKind kind, Team? team)
    {
        (_weightDecay, _team, _part) = (weightDecay, team ?? Team.Alone, UpdatePart);
        _state = [.. StateNames(kind).Select(name => new OptimizerVector(name, new NativeVector(layout.ParameterCount)))];
    }

    /// <summary>Zero at the beginning.</summary>
    public IReadOnlyList<OptimizerVector> State => _state;

    /// <summary>What the parts of the state are called.</summary>
    public static IReadOnlyList<string> StateNames(OptimizerKind kind) =>
        kind == OptimizerKind.Sgd ? ["velocity"] : ["firstMoment", "secondMoment"];

    public static Optimizer Create(TrainingSpec training, double weightDecay, WeightLayout layout) => Create(training, weightDecay, layout, Team.Alone);

    /// <param name="team">Whose threads update.</param>
    internal static Optimizer Create(TrainingSpec training, double weightDecay, WeightLayout layout, Team team) => training.Optimizer switch
    {
        { Kind: OptimizerKind.Sgd } sgd => new StochasticGradientDescent(layout, sgd.Momentum, weightDecay, team),
        var adam => new Adam(layout, adam.Beta1, adam.Beta2, adam.Epsilon, weightDecay, team),
    };

    /// <summary>The update of step t (from 1) with learning rate α.</summary>
    public void Update(Weights weights, int step, double rate)
    {
        (_weights, _step, _rate) = (weights, step, rate);
        _team.RunParts(weights.Layout.ParameterCount, _part);
    }

    /// <summary>Updates some parameters, by their part of the optimizer's state.</summary>
    private protected abstract void Update(Span<float> parameters, ReadOnlySpan<float> gradient, Stretch stretch, int step, double rate);

    private protected Span<float> StateVector(int index, Stretch stretch) => stretch.Of(_state[index].Values.Span);

    public void Dispose()
    {
        foreach (var vector in _state) vector.Values.Dispose();
        GC.SuppressFinalize(this);
    }

    private void UpdatePart(int part, int parts)
    {
        var (weights, stretch) = (_weights!, Stretch.Of(_weights!.Layout.ParameterCount, part, parts));
        var parameters = weights.Parameters.Span;
        if (_weightDecay > 0) Decay(parameters, weights.Layout, stretch, (float)(1 - _rate * _weightDecay));
        Update(stretch.Of(parameters), stretch.Of(weights.Gradient!.Span), stretch, _step, _rate);
    }

    /// <summary>Decoupled weight decay: w ← (1 − α·λ)·w (Loshchilov and Hutter, 2019, algorithm 2).</summary>
    private static void Decay(Span<float> parameters, WeightLayout layout, Stretch stretch, float factor)
    {
        foreach (var range in layout.Decayed)
        {
            var weights = stretch.And(range).Of(parameters);
            System.Numerics.Tensors.TensorPrimitives.Multiply(weights, factor, weights);
        }
    }
}
