using static TorchSharp.torch;

namespace DistributedEnsemble.Training;

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
        builder.Shape = [rest.Length + Inputs.Sum(input => (long)input.Width)];
        return (weights, inputs, _) =>
        {
            var parts = Inputs.Select((input, i) => weights[tables[i]].index_select(0, inputs.select(1, input.Place).to(ScalarType.Int64)));
            if (rest.Length > 0) parts = parts.Prepend(inputs.index_select(1, tensor(rest)));
            return cat([.. parts], 1);
        };
    }
}
