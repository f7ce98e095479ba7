using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Randomness;

namespace DistributedEnsemble.Training.Tests.Kernels;

/// <summary>Networks on kernels of our own beside the same networks on libtorch.</summary>
public sealed class OwnKernelsTests
{
    private const int Rows = Designs.Rows, Outputs = Designs.Outputs;

    public static TheoryData<string> Names => [.. Designs.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Outputs_and_gradients_are_those_of_libtorch(string name)
    {
        var (shape, layers) = Designs.All[name];
        var (own, libtorch) = (new Network(shape, layers), new Network(shape, layers, kernels: KernelKind.Libtorch));
        Assert.Equal((KernelKind.Own, KernelKind.Libtorch), (own.Kernels, libtorch.Kernels));
        foreach (var rows in (int[])[Rows, 7, 3])
        {
            var (ours, theirs) = (Designs.Step(own, rows), Designs.Step(libtorch, rows));
            AssertNear(theirs.Outputs, ours.Outputs);
            AssertNear(theirs.Gradient, ours.Gradient);
            AssertNear(theirs.Statistics, ours.Statistics);
        }
    }

    [Theory]
    [InlineData("vanilla dropout")]
    [InlineData("inverted dropout")]
    [InlineData("spatial vanilla dropout")]
    public void A_gradient_without_masks_is_that_of_libtorch(string name)
    {
        var (shape, layers) = Designs.All[name];

        var ours = Designs.Step(new Network(shape, layers), Rows, isMasked: false);

        AssertNear(Designs.Step(new Network(shape, layers, kernels: KernelKind.Libtorch), Rows, isMasked: false).Gradient, ours.Gradient);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Predictions_are_those_of_libtorch_and_a_row_has_the_same_bits_alone(string name)
    {
        var (shape, layers) = Designs.All[name];
        var (own, libtorch) = (new Network(shape, layers), new Network(shape, layers, kernels: KernelKind.Libtorch));
        using var weights = Weights.Initialize(own.Layout, new RandomSource(3), 0);
        var outputs = own.Submodels * Outputs;
        foreach (var samples in own.HasDropout ? (int[])[0, 1, 5] : [0])
        {
            Noise Noise() => samples == 0 ? Training.Networks.Noise.None : new MonteCarloNoise(new RandomSource(9), 2, 3, samples);
            var together = Designs.Predict(own, weights, Designs.InputsOf(own), Noise());
            AssertNear(Designs.Predict(libtorch, weights, Designs.InputsOf(own), Noise()), together);
            var width = (int)own.InputWidth;
            for (var row = 0; row < Rows; row += 7)
            {
                var alone = Designs.Predict(own, weights, Designs.InputsOf(own).AsSpan(row * width, width), Noise());
                for (var sample = 0; sample < Math.Max(1, samples); sample++)
                {
                    Assert.Equal(together.AsSpan(((sample * Rows) + row) * outputs, outputs), alone.AsSpan(sample * outputs, outputs));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Weights_that_are_arranged_for_predictions_give_the_same_bits(string name)
    {
        var (shape, layers) = Designs.All[name];
        var network = new Network(shape, layers);
        using var weights = Weights.Initialize(network.Layout, new RandomSource(3), 0);
        using var arranged = weights.Copy();
        network.Arrange(arranged);
        for (var rows = 1; rows <= Rows; rows += 5)
        {
            var inputs = Designs.InputsOf(network).AsSpan(0, rows * (int)network.InputWidth);
            Assert.Equal(Designs.Predict(network, weights, inputs, Training.Networks.Noise.None), Designs.Predict(network, arranged, inputs, Training.Networks.Noise.None));
        }
    }

    [Theory]
    [InlineData("""{ "kind": "mlp", "hidden": [40, 30] }""")]
    [InlineData("""{ "kind": "tabm", "hidden": [40, 30], "submodels": 5 }""")]
    [InlineData("""{ "kind": "lenet" }""")]
    [InlineData("""{ "kind": "resnet", "depth": 8, "width": 4 }""")]
    [InlineData("""{ "kind": "lenet" }""", """, "dropout": { "rate": 0.2, "spatial": true, "repeats": 3 }""")]
    [InlineData("""{ "kind": "resnet", "depth": 8, "width": 4 }""", """, "dropout": { "rate": 0.2, "spatial": true }""")]
    [InlineData("""{ "kind": "tabm", "hidden": [40, 30], "submodels": 5 }""", """, "dropout": { "rate": 0.2, "repeats": 2 }""")]
    public void A_members_losses_over_200_steps_follow_those_of_libtorch(string model, string dropout = "")
    {
        var spec = $$"""
            {
              "data": { "dataset": "digits" }, "model": {{model}}, "logging": { "everySteps": 1 }, "regularization": { "l2": 1e-4{{dropout}} },
              "training": { "epochs": 100, "batchSize": 32, "schedule": { "kind": "constant", "learningRate": 0.002 } }
            }
            """;
        var (own, libtorch) = (Plans.Of(spec), Plans.Of(spec, ("training.kernels", "libtorch")));
        using var ours = new MemberTraining(own, 0);
        using var theirs = new MemberTraining(libtorch, 0);

        for (var step = 1; step <= 200; step++) Assert.Equal(theirs.Advance()!.Loss, ours.Advance()!.Loss, 1e-3f);
    }

    private static void AssertNear(float[] expected, float[] found)
    {
        Assert.Equal(expected.Length, found.Length);
        var largest = expected.Length == 0 ? 0 : expected.Max(Math.Abs);
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], found[i], (1e-5f * Math.Abs(expected[i])) + (1e-5f * largest));
    }
}
