using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Kernels;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Networks;

/// <summary>
/// A dense layer for each submodel, yₛ = Wₛ·xₛ + bₛ, from [submodels, features] to [submodels, units]; weight
/// [submodels, units, features], bias [submodels, units].
/// </summary>
public sealed record SeparateDense(int Units) : Layer
{
    public override Function Build(NetworkBuilder builder)
    {
        if (builder.Shape is not [var submodels, var features]) throw new SpecException("model: only submodels have dense layers of their own.");
        var weight = builder.Parameter("weight", [submodels, Units, features], Initialization.FanIn(features), isDecayed: true);
        var bias = builder.Parameter("bias", [submodels, Units], Initialization.FanIn(features), isDecayed: false);
        builder.Shape = [submodels, Units];
        var (weightOffset, biasOffset) = (builder.Offset(weight), builder.Offset(bias));
        builder.Operation = place => new SeparateDenseOperation((int)submodels, (int)features, Units, weightOffset, biasOffset, place);
        return (weights, inputs, _) => einsum("nsf,suf->nsu", inputs, weights[weight]) + weights[bias];
    }
}

/// <summary>A product for each submodel, of rows that lie k apart.</summary>
internal sealed unsafe class SeparateDenseOperation : Operation
{
    private readonly int _submodels, _features, _units, _weight, _bias;

    public SeparateDenseOperation(int submodels, int features, int units, int weight, int bias, OperationPlace place) : base(submodels * units)
    {
        (_submodels, _features, _units, _weight, _bias) = (submodels, features, units, weight, bias);
        Outputs = place.Memory.Take((long)place.Rows * Width);
    }

    public override void Forward(Pass pass, float* inputs)
    {
        for (var s = 0; s < _submodels; s++)
        {
            pass.Product.Compute(
                pass.Rows, _units, _features, Inputs(inputs, s), Weights(pass.Parameters, s).Transposed, Outputs + s * _units, Width,
                ProductStart.BiasOfColumns, pass.Parameters + _bias + s * _units, false);
        }
    }

    public override void Backward(Pass pass, float* inputs, float* gradient, float* inputGradient)
    {
        Elementwise.SumRows(gradient, pass.Rows, Width, pass.Gradient + _bias);
        for (var s = 0; s < _submodels; s++)
        {
            var slopes = new Matrix(gradient + s * _units, Width, 1);
            pass.Product.Compute(
                _units, _features, pass.Rows, slopes.Transposed, Inputs(inputs, s), Weights(pass.Gradient, s).Start, _features,
                ProductStart.Zero, null, false);
            if (inputGradient == null) continue;
            pass.Product.Compute(
                pass.Rows, _features, _units, slopes, Weights(pass.Parameters, s), Inputs(inputGradient, s).Start, _submodels * _features,
                ProductStart.Zero, null, false);
        }
    }

    private Matrix Inputs(float* inputs, int submodel) => new(inputs + submodel * _features, _submodels * _features, 1);

    private Matrix Weights(float* parameters, int submodel) => Matrix.Rows(parameters + _weight + (nint)submodel * _units * _features, _features);
}
