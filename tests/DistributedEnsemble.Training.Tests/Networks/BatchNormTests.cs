using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Randomness;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Tests.Networks;

public sealed class BatchNormTests
{
    [Fact]
    public void A_batch_of_one_row_that_has_no_variance_gets_one_line_before_the_run()
    {
        var (digits, networks) = (new Digits(), new NetworkRegistry());
        networks.Add("normed", (_, outputs, _) => [new Flatten(), new Dense(8), new BatchNorm(), new Relu(), new Dense(outputs)]);
        TrainingPlan Plan(int size) => new(SpecDocument.Parse($$"""
            { "data": { "dataset": "digits" }, "model": { "kind": "normed" }, "training": { "batchSize": {{size}} } }
            """).Resolve(digits.Defaults, networks.Kinds), digits.Load(new DataFolders()), networks);
        var rows = Plan(64).Of(0).RowCount;
        var size = Enumerable.Range(2, 99).First(size => rows % size == 1);

        var error = Assert.Throws<SpecException>(Plan(size).RequireTrainable);

        Assert.Equal(
            $"training.batchSize is {size}: of {rows:N0} rows the last batch is one. model: one row of one pixel has no variance, by which batch norm divides. "
            + "Choose another size.", error.Message);
    }

    [Fact]
    public void Outputs_statistics_and_gradients_are_those_of_PyTorchs_module()
    {
        var network = new Network([3, 4, 5], [new BatchNorm(), new BatchNorm()]);
        using var weights = Weights.Initialize(network.Layout, new RandomSource(1), 0);
        weights.Train();
        var noise = new TrainingNoise(new RandomSource(1), 0);
        using var first = nn.BatchNorm2d(3);
        using var second = nn.BatchNorm2d(3);
        Scale(weights, first);

        for (var step = 1; step <= 3; step++)
        {
            var inputs = randn(7, 3, 4, 5).mul(step).add(step);
            var ours = network.Forward(weights, inputs, noise.At(step));
            var theirs = second.call(first.call(inputs));
            Assert.Equal(theirs.flatten().data<float>().ToArray(), ours.flatten().data<float>().ToArray());
            ours.pow(3).sum().backward();
            theirs.pow(3).sum().backward();
        }

        AssertEqual(first.running_mean!, weights[2]);
        AssertEqual(first.running_var!, weights[3]);
        AssertEqual(second.running_mean!, weights[6]);
        AssertEqual(second.running_var!, weights[7]);
        AssertEqual(first.weight!.grad!, weights[0].grad!);
        AssertEqual(second.bias!.grad!, weights[5].grad!);

        first.eval();
        second.eval();
        var rows = randn(2, 3, 4, 5);
        AssertEqual(second.call(first.call(rows)), network.Forward(weights, rows, Noise.None));
    }

    [Fact]
    public void Only_statistics_are_measured_and_nothing_is_decayed()
    {
        var layout = new Network([6], [new BatchNorm()]).Layout;

        Assert.Equal(["layers.0.weight", "layers.0.bias", "layers.0.running_mean", "layers.0.running_var"], layout.Tensors.Select(t => t.Name));
        Assert.Equal((12, 12), (layout.ParameterCount, layout.StatisticCount));
        Assert.Empty(layout.Decayed);
    }

    private static void Scale(Weights weights, TorchSharp.Modules.BatchNorm2d module)
    {
        using var noGradient = no_grad();
        weights[0].mul_(1.5f);
        module.weight!.mul_(1.5f);
    }

    private static void AssertEqual(Tensor expected, Tensor actual) =>
        Assert.Equal(expected.flatten().data<float>().ToArray(), actual.flatten().data<float>().ToArray());
}
