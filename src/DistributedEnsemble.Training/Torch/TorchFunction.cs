using DistributedEnsemble.Training.Networks;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Torch;

/// <summary>A network on libtorch: the reference, and what trains modules of one's own.</summary>
internal sealed class TorchFunction : NetworkFunction
{
    private readonly Network _network;
    private readonly bool _isTrained;
    private readonly Tensor _inputs;
    private Tensor? _outputs;

    public TorchFunction(Network network, int rows, bool isTrained, int threads)
    {
        set_num_threads(threads);
        (_network, _isTrained) = (network, isTrained);
        _inputs = empty([rows, .. network.InputShape]).DetachFromDisposeScope();
    }

    public override Span<float> Inputs => _inputs.Floats();

    public override ReadOnlySpan<float> Forward(Weights weights, int rows, Noise noise)
    {
        _outputs?.Dispose();
        using var scope = NewDisposeScope();
        using var mode = set_grad_enabled(_isTrained);
        var inputs = rows == _inputs.size(0) ? _inputs : _inputs.narrow(0, 0, rows);
        _outputs = _network.Forward(weights, inputs, noise).contiguous().DetachFromDisposeScope();
        return _outputs.Floats();
    }

    public override void Backward(Weights weights, Span<float> gradient)
    {
        using var scope = NewDisposeScope();
        var ofOutputs = empty(_outputs!.shape);
        gradient.CopyTo(ofOutputs.Floats());
        weights.Gradient!.Span.Clear();
        _outputs.backward([ofOutputs]);
    }

    public override void Dispose()
    {
        _outputs?.Dispose();
        _inputs.Dispose();
    }
}
