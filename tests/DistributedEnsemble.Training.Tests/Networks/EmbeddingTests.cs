using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Randomness;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Tests.Networks;

public sealed class EmbeddingTests
{
    private readonly Network _network = new([4], [new Embedding([new(1, 3, 2), new(3, 5, 1)])]);

    [Fact]
    public void Indices_become_their_vectors_behind_the_other_inputs()
    {
        using var weights = Weights.Initialize(_network.Layout, new RandomSource(3), 0);
        float[] first = weights[0].data<float>().ToArray(), second = weights[1].data<float>().ToArray();

        using var outputs = _network.Forward(weights, tensor(new float[,] { { 7, 2, -1, 4 }, { 8, 0, -2, 3 } }), Noise.None);

        Assert.Equal([7, -1, first[4], first[5], second[4], 8, -2, first[0], first[1], second[3]], outputs.data<float>().ToArray());
        Assert.Equal([5], _network.OutputShape);
        Assert.Equal(["layers.0.weight0", "layers.0.weight1"], _network.Layout.Tensors.Select(tensor => tensor.Name));
    }

    [Fact]
    public void A_vectors_gradient_is_the_sum_over_the_rows_that_have_its_level()
    {
        using var weights = Weights.Initialize(_network.Layout, new RandomSource(3), 0);
        weights.Train();

        _network.Forward(weights, tensor(new float[,] { { 7, 2, -1, 4 }, { 8, 2, -2, 3 } }), Noise.None).sum().backward();

        Assert.Equal([0, 0, 0, 0, 2, 2, 0, 0, 0, 1, 1], weights.Gradient!.ToArray());
    }

    [Fact]
    public void The_registry_puts_it_in_front_of_the_hidden_layers()
    {
        var network = new NetworkRegistry().Build(new EnsembleSpec { Model = ModelSpec.Of("mlp") }, new NetworkInputs([4], [new(1, 3, 2)]), 3);
        Assert.IsType<Embedding>(network.Layers[0]);
        Assert.Equal([128, 5], network.Layout.Tensors[1].Shape);
    }
}
