using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training.Networks;

/// <summary>One vector of each row.</summary>
public sealed record Flatten : Layer
{
    public override Function Build(NetworkBuilder builder)
    {
        var width = builder.Width;
        builder.Operation = _ => new SameOperation(width);
        if (builder.Shape.Count == 1) return (_, inputs, _) => inputs;
        builder.Shape = [width];
        return (_, inputs, _) => inputs.flatten(1);
    }
}

/// <summary>Another view of the same numbers.</summary>
internal sealed unsafe class SameOperation(int width) : Operation(width)
{
    public override bool IsInPlace => true;

    internal override bool? KeepsInputs => null;

    public override void Forward(Pass pass, float* inputs) => Outputs = inputs;

    public override void Backward(Pass pass, float* inputs, float* gradient, float* inputGradient)
    {
    }
}
