using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Optimizers;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Randomness;
using DistributedEnsemble.Training.Regularization;
using DistributedEnsemble.Training.Tests.Members;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Tests.Regularization;

public sealed class DropoutTests
{
    /// <summary>A linear unit w1·x + w2·y whose inputs are each kept with probability ½: four masks, equally likely.</summary>
    [Fact]
    public void The_mean_over_all_masks_equals_weight_scaling_for_a_linear_unit()
    {
        const float X = 3, Y = -5, W1 = 0.7f, W2 = 0.2f;
        var unit = Unit(2, 0.5, DropoutKind.Vanilla);
        using var weights = WeightsOf(unit, [W1, W2]);
        float[] masked = [.. AllMasks(2).Select(mask => Answer(unit, weights, [X, Y], new GivenMasks(mask)))];

        Assert.Equal([0, W1 * X, W2 * Y, (W1 * X) + (W2 * Y)], masked);
        Assert.Equal(((W1 * X) + (W2 * Y)) / 2, masked.Average(), 1e-6);
        Assert.Equal(((W1 * X) + (W2 * Y)) / 2, Answer(unit, weights, [X, Y], Noise.None), 1e-6);
    }

    [Theory]
    [InlineData(1, 0.5)]
    [InlineData(3, 0.1)]
    [InlineData(5, 0.9)]
    [InlineData(8, 0.3)]
    public void The_expectation_over_all_masks_is_what_prediction_computes(int inputs, double rate)
    {
        float[] w = [.. Enumerable.Range(0, inputs).Select(i => MathF.Sin(i + 1))], x = [.. w.Select(value => (2 * value) + 0.3f)];
        var whole = w.Zip(x, (a, b) => (double)a * b).Sum();
        foreach (var (kind, expected) in new[] { (DropoutKind.Vanilla, (1 - rate) * whole), (DropoutKind.Inverted, whole) })
        {
            var unit = Unit(inputs, rate, kind);
            using var weights = WeightsOf(unit, w);
            var mean = AllMasks(inputs).Sum(mask => Probability(mask, rate) * Answer(unit, weights, x, new GivenMasks(mask)));

            Assert.Equal(expected, mean, 1e-5);
            Assert.Equal(expected, Answer(unit, weights, x, Noise.None), 1e-5);
        }
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(0.2)]
    public void Vanilla_and_inverted_are_the_same_network_with_weights_scaled_by_the_keep_probability(double rate)
    {
        float[] w = [0.4f, -1.2f, 0.9f], x = [1, 2, -3];
        var (vanilla, inverted) = (Unit(3, rate, DropoutKind.Vanilla), Unit(3, rate, DropoutKind.Inverted));
        using var weights = WeightsOf(inverted, w);
        using var larger = WeightsOf(vanilla, [.. w.Select(value => (float)(value / (1 - rate)))]);
        Noise[] noises = [Noise.None, .. AllMasks(3).Select(mask => new GivenMasks(mask))];

        Assert.All(noises, noise => Assert.Equal(Answer(inverted, weights, x, noise), Answer(vanilla, larger, x, noise), 1e-5));
    }

    [Fact]
    public void The_masks_of_training_have_the_expectation_that_prediction_computes()
    {
        var layer = new Network([50], [new Dropout(0.3, DropoutKind.Inverted)]);
        using var weights = new Weights(layer.Layout);
        var noise = new TrainingNoise(new RandomSource(3), member: 1);
        using var units = ones(2000, 50);

        using var dropped = layer.Forward(weights, units, noise.At(1));

        var values = dropped.data<float>().ToArray();
        Assert.Equal([0, (float)(1 / 0.7)], values.Distinct().Order());
        Assert.Equal(1, values.Average(), 0.01);
        using var whole = layer.Forward(weights, units, Noise.None);
        Assert.Equal(new HashSet<float> { 1 }, [.. whole.data<float>().ToArray()]);
    }

    [Fact]
    public void Rows_steps_layers_and_members_have_masks_of_their_own()
    {
        string MaskOf(int member, int step, int layer, int row)
        {
            var mask = new float[2 * 64];
            new TrainingNoise(new RandomSource(3), member).At(step).Mask(layer, 0, 0.5, 1, mask);
            return string.Concat(mask[(row * 64)..][..64]);
        }

        string[] masks = [MaskOf(0, 1, 0, 0), MaskOf(0, 1, 0, 1), MaskOf(0, 2, 0, 0), MaskOf(0, 1, 1, 0), MaskOf(1, 1, 0, 0)];

        Assert.Equal(5, masks.Distinct().Count());
        Assert.Equal(masks[2], MaskOf(0, 2, 0, 0));
    }

    [Theory]
    [InlineData("lenet", 4, 2)]
    [InlineData("resnet", 10, 9)]
    public void Spatial_dropout_comes_after_poolings_and_within_blocks(string kind, int all, int spatial)
    {
        var plan = Plans.Of($$"""{ "data": { "dataset": "digits" }, "model": { "kind": "{{kind}}" }, "regularization": { "dropout": { "rate": 0.4, "spatial": true } } }""").Of(0);
        Dropout[] layers = [.. plan.Network.Layers.SelectMany(layer => layer is Residual residual ? residual.Residue : [layer]).OfType<Dropout>()];

        Assert.Equal((all, spatial), (layers.Length, layers.Count(dropout => dropout.IsSpatial)));
    }

    [Fact]
    public void Spatial_dropout_drops_each_channel_whole_and_with_its_rate()
    {
        var layer = new Network([25, 4, 3], [new Dropout(0.4, DropoutKind.Inverted, IsSpatial: true)]);
        using var weights = new Weights(layer.Layout);
        using var function = layer.CreateFunction(400, isTrained: true);
        function.Inputs.Fill(1);

        var channels = function.Forward(weights, 400, new TrainingNoise(new RandomSource(3), 1).At(1)).ToArray().Chunk(4 * 3).ToArray();

        Assert.All(channels, channel => Assert.Single(channel.Distinct()));
        Assert.Equal([0, (float)(1 / 0.6)], channels.Select(channel => channel[0]).Distinct().Order());
        Assert.Equal(1, channels.Average(channel => channel[0]), 0.03);
    }

    [Theory]
    [InlineData(Plans.Small)]
    [InlineData(Plans.Number)]
    public void Repeats_see_each_row_under_as_many_masks_and_learn_from_the_mean_of_their_losses(string spec)
    {
        const int Repeats = 3;
        var plan = Plans.Of(spec, ("regularization.dropout.repeats", $"{Repeats}"), ("logging.everySteps", "1")).Of(1);
        using var training = new MemberTraining(plan.Run, 1);
        var loss = training.Advance()!.Loss;

        using var weights = Weights.Initialize(plan.Network.Layout, plan.Run.Random, 1);
        weights.Train();
        var batches = ListedRows.Batches(plan.Run.Dataset.Train, plan.Rows(), plan.Spec.Training.BatchSize, plan.Run.Random, 1);
        var inputs = new float[batches.Size * plan.Network.InputWidth];
        var batch = batches.At(1, inputs);
        using var function = plan.Network.CreateFunction(Repeats * batches.Size, isTrained: true);
        inputs.Chunk((int)plan.Network.InputWidth).SelectMany(row => Enumerable.Repeat(row, Repeats)).SelectMany(row => row).ToArray().CopyTo(function.Inputs);
        var outputs = function.Forward(weights, Repeats * batch.Rows, new TrainingNoise(plan.Run.Random, 1).At(1)).ToArray();
        var (gradient, mean) = (new float[outputs.Length], 0.0);
        for (var mask = 0; mask < Repeats; mask++)
        {
            int[] places = [.. Enumerable.Range(0, batch.Rows).SelectMany(row => Enumerable.Range((row * Repeats + mask) * plan.Task.Outputs, plan.Task.Outputs))];
            var slopes = new float[places.Length];
            mean += plan.Task.Loss([.. places.Select(place => outputs[place])], batch.Targets.Span, slopes) / Repeats;
            for (var i = 0; i < places.Length; i++) gradient[places[i]] = slopes[i] / Repeats;
        }

        Assert.NotEqual(outputs[0], outputs[plan.Task.Outputs]);
        Assert.Equal(mean, loss, 1e-5);
        function.Backward(weights, gradient);
        new L2(plan.Spec.Regularization.L2).AddGradient(weights);
        using var optimizer = Optimizer.Create(plan.Spec.Training, 0, plan.Network.Layout);
        optimizer.Update(weights, 1, plan.LearningRate.At(1));
        using var trained = training.CopyWeights();
        Assert.All(trained.Parameters.ToArray().Zip(weights.Parameters.ToArray()), pair => Assert.Equal(pair.Second, pair.First, 1e-5f));
    }

    [Fact]
    public void One_repeat_is_none()
    {
        string Train(params (string, string)[] settings)
        {
            var plan = Plans.Of(Plans.Small, settings);
            using var training = new MemberTraining(plan, 0);
            return training.TrainTo(plan, 20);
        }

        Assert.Equal(Train(), Train(("regularization.dropout.repeats", "1")));
        Assert.NotEqual(Train(), Train(("regularization.dropout.repeats", "2")));
    }

    [Theory]
    [InlineData("""{ "spatial": true }""", "regularization.dropout.spatial is true: it drops channels of convolutions, and model.kind is mlp, which has none (choose lenet or resnet, or leave the key out).")]
    [InlineData("""{ "rate": 0, "repeats": 4 }""", "regularization.dropout.repeats is 4: each row is seen under as many masks, and dropout is off (set regularization.dropout.rate, or 1 repeat).")]
    [InlineData("""{ "repeats": 65 }""", "regularization.dropout.repeats is 65: it must be a whole number from 1 to 64.")]
    public void What_cannot_be_dropped_is_told(string dropout, string error) =>
        Assert.Equal(error, Assert.Throws<SpecException>(() => Plans.Spec(Plans.Small.Replace("""{ "rate": 0.3, "inputRate": 0.1 }""", dropout))).Message);

    /// <summary>
    /// Two hidden layers of dropout and a softmax: scaling the weights is only near the mean over all 2⁸ masks, and
    /// Monte-Carlo sampling comes as near as one samples (Gal and Ghahramani, 2016).
    /// </summary>
    [Theory]
    [InlineData(DropoutKind.Inverted)]
    [InlineData(DropoutKind.Vanilla)]
    public void Monte_carlo_sampling_removes_the_difference_that_weight_scaling_leaves_in_a_deep_network(DropoutKind kind)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var network = new Network(
            [3], [new Dense(4), new Relu(), new Dropout(0.5, kind), new Dense(4), new Relu(), new Dropout(0.5, kind), new Dense(3)]);
        var random = new RandomSource(2);
        using var weights = Weights.Initialize(network.Layout, random, 0);
        weights.Parameters.Scale(4);
        using var inputs = tensor(new float[] { 1, -2, 0.5f, -1, 1, 2 }).view(2, 3);
        var (exact, task) = (new float[6], TestTasks.Classes(3));
        foreach (var mask in AllMasks(8))
        {
            using var probabilities = network.Forward(weights, inputs, new GivenMasks(mask[..4], mask[4..])).softmax(1);
            for (var i = 0; i < 6; i++) exact[i] += probabilities.data<float>()[i] / 256;
        }

        double Distance(IPredictor predictor)
        {
            var answers = new double[2 * 4];
            predictor.Answer(inputs, answers);
            return task.Probabilities(answers).Zip(exact, (p, q) => Math.Abs(p - q)).Max();
        }

        var scaling = Distance(new SingleModel(network, task, weights));
        var (few, many) = (Distance(new MonteCarloDropout(network, task, weights, random, 0, 20)), Distance(new MonteCarloDropout(network, task, weights, random, 0, 4000)));
        Assert.True(scaling > 0.03, $"weight scaling is off by {scaling}");
        Assert.True(many < 0.02 && many < few && many < scaling / 3, $"20 samples are off by {few}, 4000 by {many}, scaling by {scaling}");
    }

    /// <summary>A dense unit over dropped inputs, as a spec describes it.</summary>
    private static Network Unit(int inputs, double rate, DropoutKind kind) => new NetworkRegistry().Build(
        new EnsembleSpec
        {
            Model = new ModelSpec { Kind = "mlp" },
            Regularization = new RegularizationSpec { Dropout = new DropoutSpec { Rate = 0, InputRate = rate, Kind = kind } },
        },
        [inputs], outputs: 1);

    private static Weights WeightsOf(Network unit, float[] w)
    {
        var weights = new Weights(unit.Layout);
        w.CopyTo(weights.Values(unit.Layout.Tensors[0]));
        return weights;
    }

    private static float Answer(Network unit, Weights weights, float[] x, Noise noise)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        return unit.Forward(weights, tensor(x).view(1, x.Length), noise).item<float>();
    }

    /// <summary>True where a unit is kept; mask m keeps unit i if bit i of m is set.</summary>
    private static IEnumerable<bool[]> AllMasks(int units) =>
        Enumerable.Range(0, 1 << units).Select(m => Enumerable.Range(0, units).Select(i => (m >> i & 1) == 1).ToArray());

    private static double Probability(bool[] mask, double rate) => mask.Aggregate(1.0, (product, kept) => product * (kept ? 1 - rate : rate));

    /// <summary>The same given mask of each dropout layer for all rows.</summary>
    private sealed class GivenMasks(params bool[][] masks) : Noise
    {
        public override int Samples => 1;

        public override void Mask(int dropout, int sample, double rate, float kept, Span<float> mask)
        {
            for (var i = 0; i < mask.Length; i++) mask[i] = masks[dropout][i] ? kept : 0;
        }
    }
}
