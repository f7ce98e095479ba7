using DistributedEnsemble.Training.Kernels;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Training.Networks;

/// <summary>max(x, 0).</summary>
public sealed record Relu : Layer
{
    public override Function Build(NetworkBuilder builder)
    {
        var width = builder.Width;
        builder.Operation = place => new ReluOperation(width, place.Before);
        return (_, inputs, _) => functional.relu(inputs);
    }
}

/// <summary>An operation that applies relu to what it gives, while it is in registers.</summary>
internal interface IRectifying
{
    bool IsRectified { set; }
}

internal sealed unsafe class ReluOperation : Operation
{
    private readonly bool _isDoneBefore;
    private readonly Action<int, int> _backward;

    public ReluOperation(int width, Operation? before) : base(width)
    {
        _backward = BackwardPart;
        if (before is not IRectifying rectifying) return;
        rectifying.IsRectified = true;
        _isDoneBefore = true;
    }

    public override bool IsInPlace => true;

    public override void Forward(Pass pass, float* inputs)
    {
        if (!_isDoneBefore) Elementwise.Rectify(inputs, (nint)pass.Rows * Width);
        Outputs = inputs;
    }

    /// <summary>The outputs may be multiplied by a mask of dropout by now: where that is 0, the gradient is.</summary>
    public override void Backward(Pass pass, float* inputs, float* gradient, float* inputGradient) =>
        Share(_backward, (long)pass.Rows * Width, pass, inputs, gradient);

    private void BackwardPart(int part, int parts)
    {
        var stretch = Stretch.Of(Work.Pass.Rows * Width, part, parts);
        Elementwise.MaskByPositive(Work.Gradient + stretch.Start, Outputs + stretch.Start, stretch.Length);
    }
}
