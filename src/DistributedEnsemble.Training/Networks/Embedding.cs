using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Kernels;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Networks;

/// <summary>
/// Puts a learned vector in the place of each index of a level (Guo and Berkhahn, 2016). Gives the other inputs in their order,
/// then the vectors in the order of <paramref name="Inputs"/>; input i's vectors are the tensor weight{i}, [levels, width].
/// </summary>
/// <param name="Inputs">By ascending place.</param>
public sealed record Embedding(IReadOnlyList<EmbeddedInput> Inputs) : Layer
{
    public override Function Build(NetworkBuilder builder)
    {
        if (builder.Shape is not [var width]) throw new SpecException("model: only the inputs of a table can be indices of levels.");
        var tables = Inputs.Select((input, i) => builder.Parameter(
            $"weight{i}", [input.Levels, input.Width], Initialization.FanIn(input.Width), isDecayed: true)).ToArray();
        var rest = Enumerable.Range(0, (int)width).Except(Inputs.Select(input => input.Place)).Select(place => (long)place).ToArray();
        var offsets = tables.Select(builder.Offset).ToArray();
        builder.Operation = place => new EmbeddingOperation([.. rest.Select(input => (int)input)], [.. Inputs], offsets, (int)width, place);
        builder.Shape = [rest.Length + Inputs.Sum(input => (long)input.Width)];
        return (weights, inputs, _) =>
        {
            var parts = Inputs.Select((input, i) => weights[tables[i]].index_select(0, inputs.select(1, input.Place).to(ScalarType.Int64)));
            if (rest.Length > 0) parts = parts.Prepend(inputs.index_select(1, tensor(rest)));
            return cat([.. parts], 1);
        };
    }
}

/// <summary>Copies vectors, and adds the gradient to those that were copied, in the order of the rows.</summary>
internal sealed unsafe class EmbeddingOperation : Operation
{
    private readonly int[] _rest, _tables;
    private readonly EmbeddedInput[] _embedded;
    private readonly int _inputWidth;

    /// <summary>Whether the inputs are the network's, of which nobody asks the gradient.</summary>
    private readonly bool _isFirst;

    /// <param name="rest">Places of inputs that pass.</param>
    /// <param name="tables">Where the vectors of each embedded input start among the parameters.</param>
    public EmbeddingOperation(int[] rest, EmbeddedInput[] embedded, int[] tables, int inputWidth, OperationPlace place)
        : base(rest.Length + embedded.Sum(input => input.Width))
    {
        (_rest, _embedded, _tables, _inputWidth) = (rest, embedded, tables, inputWidth);
        _isFirst = place.Before is null or SelectOperation;
        Outputs = place.Memory.Take((long)place.Rows * Width);
    }

    public override void Forward(Pass pass, float* inputs)
    {
        var target = Outputs;
        for (nint row = 0; row < pass.Rows; row++, inputs += _inputWidth)
        {
            foreach (var place in _rest) *target++ = inputs[place];
            for (var i = 0; i < _embedded.Length; i++)
            {
                var vector = pass.Parameters + Vector(i, inputs);
                for (var j = 0; j < _embedded[i].Width; j++) *target++ = vector[j];
            }
        }
    }

    public override void Backward(Pass pass, float* inputs, float* gradient, float* inputGradient)
    {
        if (!_isFirst) throw new NotSupportedException("An embedding is a network's first layer: an index has no gradient.");
        for (var i = 0; i < _embedded.Length; i++) new Span<float>(pass.Gradient + _tables[i], _embedded[i].Levels * _embedded[i].Width).Clear();
        for (nint row = 0; row < pass.Rows; row++, inputs += _inputWidth)
        {
            gradient += _rest.Length;
            for (var i = 0; i < _embedded.Length; i++)
            {
                var vector = pass.Gradient + Vector(i, inputs);
                for (var j = 0; j < _embedded[i].Width; j++) vector[j] += *gradient++;
            }
        }
    }

    private int Vector(int i, float* inputs) => _tables[i] + (int)inputs[_embedded[i].Place] * _embedded[i].Width;
}
