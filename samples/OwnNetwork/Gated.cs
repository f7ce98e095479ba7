using static TorchSharp.torch;

/// <summary>One hidden layer whose units are each multiplied by a gate. Its dropout gets each member's own masks.</summary>
internal sealed class Gated : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module<Tensor, Tensor> _values, _gates, _dropout, _last;

    public Gated(long inputs, int outputs, int units, double dropout) : base(nameof(Gated))
    {
        _values = nn.Linear(inputs, units);
        _gates = nn.Linear(inputs, units);
        _dropout = nn.Dropout(dropout);
        _last = nn.Linear(units, outputs);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        var rows = input.flatten(1);
        return _last.call(_dropout.call(_values.call(rows) * _gates.call(rows).sigmoid()));
    }
}
