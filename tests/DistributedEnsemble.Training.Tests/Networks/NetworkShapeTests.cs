using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Randomness;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Tests.Networks;

public sealed class NetworkShapeTests
{
    [Theory]
    [InlineData(28, 400)]
    [InlineData(8, 64)]
    public void Lenet_has_the_tensors_of_the_literature(int side, int features)
    {
        var network = new NetworkRegistry().Build(new EnsembleSpec { Model = ModelSpec.Of("lenet") }, [1, side, side], outputs: 10);

        Assert.Equal(
            [
                "layers.0.weight [6, 1, 5, 5]", "layers.0.bias [6]",
                "layers.1.weight [16, 6, 5, 5]", "layers.1.bias [16]",
                $"layers.2.weight [120, {features}]", "layers.2.bias [120]",
                "layers.3.weight [84, 120]", "layers.3.bias [84]",
                "layers.4.weight [10, 84]", "layers.4.bias [10]",
            ],
            Tensors(network));
        Assert.Equal([7, 10], ScoresOf(network, 7));
    }

    [Theory]
    [InlineData(new long[] { 1, 28, 28 }, 784)]
    [InlineData(new long[] { 5 }, 5)]
    public void An_mlp_has_a_dense_layer_for_each_hidden_one_and_the_classes(long[] inputShape, int features)
    {
        var spec = new EnsembleSpec
        {
            Model = new ModelSpec { Kind = "mlp", Hidden = [256, 32] },
            Regularization = new RegularizationSpec { Dropout = new DropoutSpec { Rate = 0.5, InputRate = 0.2 } },
        };

        var network = new NetworkRegistry().Build(spec, inputShape, outputs: 3);

        Assert.Equal(
            [
                $"layers.0.weight [256, {features}]", "layers.0.bias [256]", "layers.1.weight [32, 256]", "layers.1.bias [32]",
                "layers.2.weight [3, 32]", "layers.2.bias [3]",
            ],
            Tensors(network));
        Assert.Equal([4, 3], ScoresOf(network, 4));
        Assert.True(network.HasDropout);
    }

    [Fact]
    public void Tensors_lie_one_after_another_and_only_weights_are_decayed()
    {
        var layout = new Network([1, 6, 6], [new Convolution(2, 3), new Flatten(), new Dense(4)]).Layout;

        Assert.Equal([0, 18, 20, 148], layout.Tensors.Select(tensor => tensor.Offset));
        Assert.Equal(152, layout.ParameterCount);
        Assert.Equal(["layers.0.weight", "layers.1.weight"], layout.Tensors.Where(tensor => tensor.IsDecayed).Select(tensor => tensor.Name));
        Assert.Equal([0..18, 20..148], layout.Decayed);
    }

    [Fact]
    public void A_view_shares_the_memory_of_the_flat_vector()
    {
        var layout = new Network([2], [new Dense(3)]).Layout;
        using var weights = new Weights(layout);

        weights.Values(layout.Tensors[1])[2] = 5;

        Assert.Equal(5, weights[1][2].item<float>());
        Assert.Equal(5, weights.Parameters.Span[8]);
    }

    /// <summary>Zeros on both sides, one more behind where the number is odd.</summary>
    [Fact]
    public void A_small_image_is_centred_in_zeros()
    {
        var network = new Network([1, 2, 3], [new PadImage(5), new Flatten()]);
        using var weights = new Weights(network.Layout);
        using var image = arange(1, 7, ScalarType.Float32).view(1, 1, 2, 3);

        using var padded = network.Forward(weights, image, Noise.None);

        float[] expected = [0, 0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 4, 5, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        Assert.Equal(expected, padded.data<float>().ToArray());
    }

    private static IEnumerable<string> Tensors(Network network) =>
        network.Layout.Tensors.Select(tensor => $"{tensor.Name} [{string.Join(", ", tensor.Shape)}]");

    private static long[] ScoresOf(Network network, int rows)
    {
        using var scope = NewDisposeScope();
        using var weights = Weights.Initialize(network.Layout, new RandomSource(1), 0);
        return network.Forward(weights, zeros([rows, .. network.InputShape]), Noise.None).shape;
    }
}
