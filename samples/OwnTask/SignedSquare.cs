using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Networks;

/// <summary>y = x·|x|, number by number: a layer with nothing to learn, on kernels of one's own and on libtorch.</summary>
internal sealed record SignedSquare : Layer
{
    public override Function Build(NetworkBuilder builder)
    {
        var width = builder.Width;
        builder.Operation = place => new SignedSquareOperation(width, place);
        return (_, inputs, _) => inputs * inputs.abs();
    }
}

/// <summary>Plain multiplications: the same bits on every machine.</summary>
internal sealed unsafe class SignedSquareOperation : Operation
{
    public SignedSquareOperation(int width, OperationPlace place) : base(width) => Outputs = place.Memory.Take((long)place.Rows * width);

    public override void Forward(Pass pass, float* inputs)
    {
        for (nint i = 0; i < (nint)pass.Rows * Width; i++) Outputs[i] = inputs[i] * MathF.Abs(inputs[i]);
    }

    public override void Backward(Pass pass, float* inputs, float* gradient, float* inputGradient)
    {
        if (inputGradient == null) return;
        for (nint i = 0; i < (nint)pass.Rows * Width; i++) inputGradient[i] = 2 * MathF.Abs(inputs[i]) * gradient[i];
    }
}
