using DistributedEnsemble.Randomness;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Randomness;

namespace DistributedEnsemble.Training.Tests.Networks;

public sealed class InitializationTests
{
    /// <summary>A dense layer of fan-in 400 and a convolution of fan-in 2·5·5.</summary>
    private static readonly Network Network = new([2, 24, 24], [new Convolution(16, 5), new MaxPool(), new Flatten(), new Dense(300)]);

    [Fact]
    public void Weights_and_biases_start_uniform_within_one_over_root_fan_in()
    {
        using var weights = Weights.Initialize(Network.Layout, new RandomSource(3), member: 0);
        foreach (var place in Network.Layout.Tensors)
        {
            var fanIn = place.Layer == 0 ? 2 * 5 * 5 : 16 * 10 * 10;
            var (values, bound) = (weights.Values(place).ToArray(), 1 / Math.Sqrt(fanIn));
            Assert.All(values, value => Assert.InRange(value, -bound, bound));

            // Mean and variance of a uniform distribution, within five standard errors; the extremes come near the bound.
            var n = values.Length;
            Assert.Equal(0, values.Average() / bound, 5 / Math.Sqrt(3.0 * n));
            Assert.Equal(1 / 3.0, values.Average(value => value * (double)value) / (bound * bound), 5 * Math.Sqrt(4 / 45.0 / n));
            Assert.InRange(values.Max(Math.Abs) / bound, 1 - (10.0 / n), 1);
        }
    }

    [Fact]
    public void Two_members_two_seeds_and_two_layers_start_apart()
    {
        var network = new Network([20], [new Dense(20), new Relu(), new Dense(20)]);
        float[] Start(ulong seed, int member, int tensor)
        {
            using var weights = Weights.Initialize(network.Layout, new RandomSource(seed), member);
            return weights.Values(network.Layout.Tensors[tensor]).ToArray();
        }

        float[][] starts = [Start(1, 0, 0), Start(1, 1, 0), Start(2, 0, 0), Start(1, 0, 2)];

        Assert.All(
            Enumerable.Range(0, 4).SelectMany(i => Enumerable.Range(0, i).Select(j => (i, j))),
            pair => Assert.True(starts[pair.i].Zip(starts[pair.j]).Count(values => values.First == values.Second) < 3));
        Assert.Equal(starts[1], Start(1, 1, 0));
    }

    [Fact]
    public void A_weight_is_the_word_that_its_place_in_the_layer_counts()
    {
        var network = new Network([4], [new Dense(3)]);
        var uniform = new float[15];
        new RandomSource(9).Uniform(new Draw(Purpose.Initialization, Member: 2, Step: 0, Layer: 0), uniform);

        using var weights = Weights.Initialize(network.Layout, new RandomSource(9), member: 2);

        float[] values = [.. weights.Values(network.Layout.Tensors[0]), .. weights.Values(network.Layout.Tensors[1])];
        Assert.Equal(uniform.Select(u => (float)(((2.0 * u) - 1) * 0.5)), values);
    }
}
