using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Training.Kernels;

/// <summary>A network on kernels of our own: the same bits on every machine, for a row alone and in any batch.</summary>
internal sealed unsafe class OwnFunction : NetworkFunction
{
    private readonly WorkingMemory _memory;
    private readonly Operation _operations;
    private readonly Pass _pass;
    private readonly float* _inputs;
    private readonly int _length;
    private readonly bool _keepsInputs;

    /// <param name="team">Whose threads compute.</param>
    public OwnFunction(Network network, int rows, bool isTrained, Team team)
        : this(network, rows, isTrained, team, WorkingMemory.Of(Length(network, rows, isTrained, team)))
    {
    }

    private OwnFunction(Network network, int rows, bool isTrained, Team team, WorkingMemory memory)
    {
        _memory = memory;
        _length = checked((int)(rows * network.InputWidth));
        _inputs = memory.Take(_length);
        _pass = new Pass(team, memory);
        _operations = network.Operations!(new OperationPlace(memory, rows, isTrained, team.Threads));
        _keepsInputs = _operations.KeepsInputs == true;
    }

    /// <summary>Floats of working memory.</summary>
    public static long Length(Network network, int rows, bool isTrained, Team team) =>
        WorkingMemory.Measure(memory => _ = new OwnFunction(network, rows, isTrained, team, memory));

    public override Span<float> Inputs => new(_inputs, _length);

    public override ReadOnlySpan<float> Forward(Weights weights, int rows, Noise noise) => Forward(weights, _inputs, rows, noise);

    internal override ReadOnlySpan<float> Forward(Weights weights, ReadOnlySpan<float> inputs, int rows, Noise noise)
    {
        // Rows that many models are asked for would be copied for each of them.
        if (!_keepsInputs) return base.Forward(weights, inputs, rows, noise);
        fixed (float* start = inputs) return Forward(weights, start, rows, noise);
    }

    private ReadOnlySpan<float> Forward(Weights weights, float* inputs, int rows, Noise noise)
    {
        (_pass.Rows, _pass.Noise, _pass.ArePanels) = (rows, noise, weights.ArePanels);
        _pass.Parameters = weights.Parameters.Start;
        _pass.Statistics = weights.Statistics.Start;
        _operations.Forward(_pass, inputs);
        return new ReadOnlySpan<float>(_operations.Outputs, _pass.Rows * _operations.Width);
    }

    public override void Backward(Weights weights, Span<float> gradient)
    {
        _pass.Gradient = weights.Gradient!.Start;
        fixed (float* ofOutputs = gradient) _operations.Backward(_pass, _inputs, ofOutputs, null);
    }

    public override void Dispose() => _memory.Dispose();
}
