using DistributedEnsemble.Training.Kernels;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Training.Networks;

/// <summary>y = x·Wᵀ + b; weight [units, features].</summary>
public sealed record Dense(int Units) : Layer
{
    public override Function Build(NetworkBuilder builder)
    {
        var features = builder.Shape[^1];
        var weight = builder.Parameter("weight", [Units, features], Initialization.FanIn(features), isDecayed: true);
        var bias = builder.Parameter("bias", [Units], Initialization.FanIn(features), isDecayed: false);
        builder.Shape = [Units];
        builder.ReadByPanels(weight);
        var (weightOffset, biasOffset) = (builder.Offset(weight), builder.Offset(bias));
        builder.Operation = place => new DenseOperation((int)features, Units, weightOffset, biasOffset, place);
        return (weights, inputs, _) => functional.linear(inputs, weights[weight], weights[bias]);
    }
}

/// <summary>Each output is one chain in the order of the features, from the bias; each gradient one in the order of the rows, or of the units.</summary>
internal sealed unsafe class DenseOperation : Operation, IRectifying
{
    private readonly int _features, _weight, _bias;

    public DenseOperation(int features, int units, int weight, int bias, OperationPlace place) : base(units)
    {
        (_features, _weight, _bias) = (features, weight, bias);
        Outputs = place.Memory.Take((long)place.Rows * units);
    }

    public bool IsRectified { get; set; }

    internal override bool? KeepsInputs => true;

    public override void Forward(Pass pass, float* inputs) => pass.Product.Compute(
        pass.Rows, Width, _features, Matrix.Rows(inputs, _features), Matrix.Rows(pass.Parameters + _weight, _features).Transposed,
        Outputs, Width, ProductStart.BiasOfColumns, pass.Parameters + _bias, IsRectified, pass.ArePanels);

    public override void Backward(Pass pass, float* inputs, float* gradient, float* inputGradient)
    {
        Elementwise.SumRows(gradient, pass.Rows, Width, pass.Gradient + _bias);
        pass.Product.Compute(
            Width, _features, pass.Rows, Matrix.Rows(gradient, Width).Transposed, Matrix.Rows(inputs, _features),
            pass.Gradient + _weight, _features, ProductStart.Zero, null, false);
        if (inputGradient == null) return;
        pass.Product.Compute(
            pass.Rows, _features, Width, Matrix.Rows(gradient, Width), Matrix.Rows(pass.Parameters + _weight, _features),
            inputGradient, _features, ProductStart.Zero, null, false);
    }
}
