using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Kernels;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Networks;

/// <summary>Passes some of the inputs, in their order: the features that a member is given (random subspaces, Ho, 1998).</summary>
/// <param name="Places">Of the inputs that pass, ascending.</param>
public sealed record SelectInputs(IReadOnlyList<int> Places) : Layer
{
    public override Function Build(NetworkBuilder builder)
    {
        if (builder.Shape is not [var width]) throw new SpecException("model: only the inputs of a table can be chosen among.");
        builder.Operation = place => new SelectOperation([.. Places], (int)width, place);
        builder.Shape = [Places.Count];
        long[] places = [.. Places];
        return (_, inputs, _) => inputs.index_select(1, tensor(places));
    }
}

/// <summary>Copies numbers.</summary>
internal sealed unsafe class SelectOperation : Operation
{
    private readonly int[] _places;
    private readonly int _inputWidth;

    public SelectOperation(int[] places, int inputWidth, OperationPlace place) : base(places.Length)
    {
        (_places, _inputWidth) = (places, inputWidth);
        Outputs = place.Memory.Take((long)place.Rows * Width);
    }

    public override void Forward(Pass pass, float* inputs)
    {
        var target = Outputs;
        for (nint row = 0; row < pass.Rows; row++, inputs += _inputWidth)
        {
            foreach (var place in _places) *target++ = inputs[place];
        }
    }

    public override void Backward(Pass pass, float* inputs, float* gradient, float* inputGradient)
    {
        if (inputGradient == null) return;
        new Span<float>(inputGradient, pass.Rows * _inputWidth).Clear();
        for (nint row = 0; row < pass.Rows; row++, inputGradient += _inputWidth)
        {
            foreach (var place in _places) inputGradient[place] = *gradient++;
        }
    }
}
