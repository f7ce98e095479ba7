using DistributedEnsemble.Training;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Benchmarks.Steps;

/// <summary>
/// Flat weights and a flat gradient, so that the update is three operations, but masks from torch.rand, batches by
/// index_select and arithmetic by torch: what one gains from the flat vectors alone.
/// </summary>
internal sealed class PrototypeLoop : IStepLoop
{
    private const double Rate = 0.5;

    private readonly TrainingPlan _plan;
    private readonly ShuffledRows _rows;
    private readonly Weights _weights;
    private readonly Tensor _velocity;
    private readonly Scalar _momentum = 0.9f, _whenKept = (float)(1 / (1 - Rate)), _rate = (float)Rate;
    private int _step;

    public PrototypeLoop(TrainingPlan plan, int member)
    {
        (_plan, _rows) = (plan, new ShuffledRows(plan));
        _weights = Weights.Initialize(plan.Network.Layout, plan.Random, member);
        _weights.Train();
        _velocity = zeros_like(_weights.Parameters);
    }

    public void Step()
    {
        using var scope = NewDisposeScope();
        var (inputs, labels) = _rows.Next();
        var hidden = functional.relu(functional.linear(inputs.flatten(1), _weights[0], _weights[1]));
        var mask = rand(hidden.size(0), hidden.size(1)).ge_(_rate).mul_(_whenKept);
        var loss = functional.cross_entropy(functional.linear(hidden * mask, _weights[2], _weights[3]), labels);
        _weights.Gradient!.zero_();
        loss.backward();
        using var noGradient = no_grad();
        _velocity.mul_(_momentum).add_(_weights.Gradient!);
        _weights.Parameters.add_(_velocity, alpha: -(float)_plan.LearningRate.At(++_step));
    }

    public void Dispose()
    {
        _velocity.Dispose();
        _weights.Dispose();
        _rows.Dispose();
        foreach (var scalar in (Scalar[])[_momentum, _whenKept, _rate]) scalar.Dispose();
    }
}
