using DistributedEnsemble.Training.Kernels;
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

    [Theory, InlineData(4, 6), InlineData(7, 5), InlineData(2, 3), InlineData(4, 4), InlineData(8, 4), InlineData(6, 4), InlineData(16, 16), InlineData(14, 14), InlineData(9, 31)]
    public void So_are_those_of_kernels_of_our_own(int height, int width)
    {
        const int Rows = 5;
        var network = new Network([3, height, width], [new MaxPool(), new Flatten()]);
        using var weights = Weights.Initialize(network.Layout, new RandomSource(1), 0);
        var numbers = randint(0, 3, [Rows, 3, height, width]).to(ScalarType.Float32);
        numbers[2, 1, 0, 1] = float.NaN;
        var theirs = numbers.clone().requires_grad_();
        var expected = nn.functional.max_pool2d(theirs, 2).flatten(1);
        var slopes = rand(expected.shape);
        expected.backward([slopes]);

        var operation = Operate(network, numbers.data<float>().ToArray(), slopes.data<float>().ToArray(), Rows);

        Assert.Equal(expected.data<float>().ToArray(), operation.Outputs);
        Assert.Equal(theirs.grad!.data<float>().ToArray(), operation.Gradient);
    }

    private static unsafe (float[] Outputs, float[] Gradient) Operate(Network network, float[] inputs, float[] slopes, int rows)
    {
        using var memory = WorkingMemory.Of(1 << 18);
        var operation = network.Operations!(new OperationPlace(memory, rows, IsTrained: true));
        var pass = new Pass(Team.Alone, memory) { Rows = rows };
        var gradient = new float[inputs.Length];
        fixed (float* x = inputs, y = slopes, z = gradient)
        {
            operation.Forward(pass, x);
            var outputs = new ReadOnlySpan<float>(operation.Outputs, slopes.Length).ToArray();
            operation.Backward(pass, x, y, z);
            return (outputs, gradient);
        }
    }

    private static void AssertSame(Tensor expected, Tensor actual) =>
        Assert.Equal(expected.flatten().data<float>().ToArray(), actual.flatten().data<float>().ToArray());
}
