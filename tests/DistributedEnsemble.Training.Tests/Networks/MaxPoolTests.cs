using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Randomness;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Tests.Networks;

public sealed class MaxPoolTests
{
    [Theory, InlineData(4, 6), InlineData(7, 5), InlineData(2, 3)]
    public void Outputs_and_gradients_are_those_of_PyTorchs_function_with_and_without_gradients(int height, int width)
    {
        var network = new Network([3, height, width], [new MaxPool()]);
        using var weights = Weights.Initialize(network.Layout, new RandomSource(1), 0);
        // Of squares with equal numbers, whose gradient has one place only, and with a number that is none.
        var ours = randint(0, 3, [5, 3, height, width]).to(ScalarType.Float32);
        ours[2, 1, 0, 1] = float.NaN;
        var theirs = ours.clone().requires_grad_();
        ours.requires_grad_();
        var expected = nn.functional.max_pool2d(theirs, 2);

        var trained = network.Forward(weights, ours, Noise.None);
        using (no_grad()) AssertSame(expected, network.Forward(weights, ours, Noise.None));

        AssertSame(expected, trained);
        trained.nan_to_num().pow(2).sum().backward();
        expected.nan_to_num().pow(2).sum().backward();
        AssertSame(theirs.grad!, ours.grad!);
    }

    private static void AssertSame(Tensor expected, Tensor actual) =>
        Assert.Equal(expected.flatten().data<float>().ToArray(), actual.flatten().data<float>().ToArray());
}
