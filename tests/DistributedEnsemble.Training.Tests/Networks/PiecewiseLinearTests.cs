using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Randomness;

namespace DistributedEnsemble.Training.Tests.Networks;

public sealed class PiecewiseLinearTests
{
    private static readonly NumberInput s_number = new(1, [0, 1, 3, 4]);

    /// <summary>By hand: slope 0.5, bias 2, and bins that rise by 10, 20 and 40.</summary>
    [Theory]
    [InlineData(-0.5, 2 - 0.25 - 5)]
    [InlineData(0, 2)]
    [InlineData(0.25, 2 + 0.125 + 2.5)]
    [InlineData(1, 2 + 0.5 + 10)]
    [InlineData(2, 2 + 1 + 10 + 10)]
    [InlineData(3.5, 2 + 1.75 + 30 + 20)]
    [InlineData(5, 2 + 2.5 + 30 + 80)]
    public void A_number_becomes_a_line_that_bends_at_the_edges(float x, float expected)
    {
        var network = new Network([3], [new PiecewiseLinear([s_number], 1)]);
        using var weights = new Weights(network.Layout);
        float[] values = [0.5f, 2, 10, 20, 40];
        values.CopyTo(weights.Parameters.Span);
        using var function = network.CreateFunction(1, isTrained: false);
        ((float[])[7, x, 8]).CopyTo(function.Inputs);

        Assert.Equal([7, 8, expected], function.Forward(weights, 1, Noise.None).ToArray());
    }

    [Fact]
    public void It_begins_as_a_line_and_has_bins_for_each_number()
    {
        var layout = new Network([3], [new PiecewiseLinear([s_number, new(2, [0, 1, 2])], 4)]).Layout;
        using var weights = Weights.Initialize(layout, new RandomSource(1), 0);

        Assert.Equal(["layers.0.slope", "layers.0.bias", "layers.0.weight0", "layers.0.weight1"], layout.Tensors.Select(tensor => tensor.Name));
        Assert.Equal([3L, 4], layout.Tensors[2].Shape);
        Assert.All(weights.Parameters.Span[16..].ToArray(), weight => Assert.Equal(0, weight));
        Assert.All(weights.Parameters.Span[..16].ToArray(), weight => Assert.InRange(Math.Abs(weight), 1e-6f, 0.5f));
    }

    [Theory]
    [InlineData("mlp")]
    [InlineData("tabm")]
    public void The_registry_puts_it_behind_the_vectors_of_levels(string kind)
    {
        var spec = new EnsembleSpec { Model = ModelSpec.Of(kind) with { NumericEmbedding = NumericEmbedding.PiecewiseLinear } };
        var inputs = new NetworkInputs([4], [new(1, 3, 2)]) { Numbers = new([new(0, [0, 1, 2]), new(3, [0, 1, 2])]) };

        var network = new NetworkRegistry().Build(spec, inputs, 3);

        Assert.IsType<Embedding>(network.Layers[0]);
        Assert.Equal([0, 2], Assert.IsType<PiecewiseLinear>(network.Layers[1]).Inputs.Select(input => input.Place));
        Assert.Equal(1 + 2 + (2 * 16), network.Layout.Tensors.First(tensor => tensor.Layer == 2).Shape[^1]);
    }

    [Fact]
    public void Bins_are_between_the_quantiles_of_the_training_rows_and_yes_or_no_has_none()
    {
        var plan = Plans.Of(MixedSpecs.Class, ("model.numericEmbedding", "piecewise-linear"));
        var description = DataDescription.FromJson(DataDescription.Of(plan).ToJson());

        var (numbers, inputs) = (description.Numbers!, plan.Dataset.Train.Inputs().Chunk(plan.Dataset.Train.Width).ToArray());
        Assert.NotEmpty(numbers);
        foreach (var number in numbers)
        {
            float[] values = [.. inputs.Select(row => row[number.Place]).Order()];
            Assert.Equal((values[0], values[^1]), (number.Edges[0], number.Edges[^1]));
            Assert.True(values.Distinct().Count() > 2);
        }

        foreach (var place in Enumerable.Range(0, plan.Dataset.Train.Width).Except(numbers.Select(number => number.Place)).Except(plan.Dataset.Embedded.Select(input => input.Place)))
        {
            Assert.InRange(inputs.Select(row => row[place]).Distinct().Count(), 1, 2);
        }

        Assert.Equal(numbers.Select(number => number.Edges), plan.Of(0).Network.Layers.OfType<PiecewiseLinear>().Single().Inputs.Select(input => input.Edges));
        Assert.Null(DataDescription.Of(Plans.Of(MixedSpecs.Class)).Numbers);
    }

    [Fact]
    public void Images_have_no_numbers_to_embed() => Assert.Equal(
        "model.numericEmbedding is piecewise-linear: it is for the numbers of a table, and \"digits\" has images. Leave it out.",
        Assert.Throws<SpecException>(() => Plans.Of(Plans.Small, ("model.numericEmbedding", "piecewise-linear"))).Message);
}
