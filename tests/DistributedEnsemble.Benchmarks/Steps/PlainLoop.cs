using DistributedEnsemble.Training.Members;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Benchmarks.Steps;

/// <summary>The same step as TorchSharp's examples write it: modules, nn.Dropout, torch.optim, batches by index_select.</summary>
internal sealed class PlainLoop : IStepLoop
{
    private readonly Module<Tensor, Tensor> _network;
    private readonly SGD _optimizer;
    private readonly ShuffledRows _rows;

    /// <param name="network">Its to dispose.</param>
    public PlainLoop(TrainingPlan plan, Module<Tensor, Tensor> network)
    {
        _network = network;
        _network.train();
        _optimizer = optim.SGD(_network.parameters(), plan.Of(0).LearningRate.At(1), momentum: 0.9);
        _rows = new ShuffledRows(plan);
    }

    public void Step()
    {
        using var scope = NewDisposeScope();
        var (inputs, labels) = _rows.Next();
        _optimizer.zero_grad();
        var loss = functional.cross_entropy(_network.forward(inputs), labels);
        loss.backward();
        _optimizer.step();
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _network.Dispose();
        _rows.Dispose();
    }
}

/// <summary>Batches of a fresh torch.randperm for each epoch.</summary>
internal sealed class ShuffledRows(TrainingPlan plan) : IDisposable
{
    private readonly int _size = plan.Spec.Training.BatchSize;
    private readonly Tensor _inputs = tensor(plan.Dataset.Train.InputsOf(0, (int)plan.Dataset.Train.Count).ToArray()).view([plan.Dataset.Train.Count, .. plan.Dataset.InputShape]);
    private readonly Tensor _labels = tensor(Array.ConvertAll(plan.Dataset.Train.Targets, target => (long)target));
    private Tensor? _order;
    private long _next;

    public (Tensor Inputs, Tensor Labels) Next()
    {
        if (_order is null || _next >= _order.size(0))
        {
            _order?.Dispose();
            _order = randperm(plan.Split.Training.Length, ScalarType.Int64).DetachFromDisposeScope();
            _next = 0;
        }

        var rows = _order.narrow(0, _next, Math.Min(_size, _order.size(0) - _next));
        _next += _size;
        return (_inputs.index_select(0, rows), _labels.index_select(0, rows));
    }

    public void Dispose()
    {
        _order?.Dispose();
        _inputs.Dispose();
        _labels.Dispose();
    }
}
