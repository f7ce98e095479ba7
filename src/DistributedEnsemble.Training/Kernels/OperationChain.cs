namespace DistributedEnsemble.Training.Kernels;

/// <summary>Operations one after another.</summary>
internal sealed unsafe class OperationChain : Operation
{
    private readonly Operation[] _operations;

    /// <summary>Gradients between two operations: one is read while the other is written.</summary>
    private readonly float* _even, _odd;

    private OperationChain(Operation[] operations, int width, OperationPlace place) : base(width)
    {
        _operations = operations;
        if (!place.IsTrained) return;
        var widest = (long)place.Rows * operations.Max(operation => operation.Width);
        _even = place.Memory.Take(widest);
        _odd = place.Memory.Take(widest);
    }

    /// <param name="width">Numbers that the last one gives for each row.</param>
    public static OperationBuilder Of(IReadOnlyList<OperationBuilder> builders, int width) => place =>
    {
        var operations = new Operation[builders.Count];
        for (var i = 0; i < operations.Length; i++) operations[i] = builders[i](place with { Before = i == 0 ? null : operations[i - 1] });
        return new OperationChain(operations, width, place);
    };

    internal override bool? KeepsInputs => _operations.Select(operation => operation.KeepsInputs).FirstOrDefault(keeps => keeps is not null);

    public override void Forward(Pass pass, float* inputs)
    {
        foreach (var operation in _operations)
        {
            operation.Forward(pass, inputs);
            inputs = operation.Outputs;
        }

        Outputs = inputs;
    }

    public override void Backward(Pass pass, float* inputs, float* gradient, float* inputGradient)
    {
        for (var i = _operations.Length - 1; i >= 0; i--)
        {
            var before = i == 0 ? inputs : _operations[i - 1].Outputs;
            var next = i == 0 ? inputGradient : _operations[i].IsInPlace ? gradient : gradient == _even ? _odd : _even;
            _operations[i].Backward(pass, before, gradient, next);
            gradient = next;
        }
    }
}
