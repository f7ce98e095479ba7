using TorchSharp;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Tests.Predictions;

public sealed class MonteCarloDropoutTests
{
    private const int Samples = 100;
    private readonly RandomSource _random = new(11);

    [Fact]
    public void Many_masks_in_a_forward_pass_equal_one_mask_after_the_other()
    {
        var network = new Network([6], [new Dropout(0.2, DropoutKind.Inverted), new Dense(9), new Relu(), new Dropout(0.5, DropoutKind.Vanilla), new Dense(4)]);
        using var weights = Weights.Initialize(network.Layout, _random, 2);
        var inputs = rand(300, 6);
        var sum = zeros(300, 4);
        for (var sample = 0; sample < Samples; sample++)
        {
            sum.add_(network.Forward(weights, inputs, new MonteCarloNoise(_random, 2, sample)).softmax(1));
        }

        var answer = new MonteCarloDropout(network, weights, _random, 2, Samples).Predict(inputs);

        Assert.Equal(0, (answer - sum / Samples).abs().max().item<float>(), 1e-6);
    }

    [Fact]
    public void A_forward_pass_has_a_bounded_number_of_rows_and_what_precedes_dropout_is_computed_once_for_its_masks()
    {
        List<long> before = [], after = [];
        var network = new Network([6], [new Probe(before), new Dense(9), new Relu(), new Dropout(0.5, DropoutKind.Inverted), new Probe(after), new Dense(4)]);
        using var weights = Weights.Initialize(network.Layout, _random, 0);

        new MonteCarloDropout(network, weights, _random, 0, Samples).Predict(rand(512, 6));

        Assert.All(before, rows => Assert.Equal(512, rows));
        Assert.All(after, rows => Assert.InRange(rows, 1, MonteCarloDropout.MostRows));
        Assert.Equal(Samples * 512, after.Sum());
    }

    [Fact]
    public void A_batch_larger_than_the_bound_takes_one_mask_at_a_time()
    {
        List<long> rows = [];
        var network = new Network([2], [new Dropout(0.5, DropoutKind.Inverted), new Probe(rows), new Dense(2)]);
        using var weights = Weights.Initialize(network.Layout, _random, 0);

        new MonteCarloDropout(network, weights, _random, 0, 3).Predict(rand(MonteCarloDropout.MostRows + 1, 2));

        Assert.Equal([4097, 4097, 4097], rows);
    }

    [Fact]
    public void The_average_over_many_masks_converges_to_the_average_over_all_masks()
    {
        const int Units = 8;
        var network = new Network([5], [new Dense(Units), new Relu(), new Dropout(0.5, DropoutKind.Inverted), new Dense(3)]);
        using var weights = Weights.Initialize(network.Layout, _random, 0);
        weights.Parameters.mul_(4);
        var inputs = rand(20, 5);
        var all = zeros(20, 3);
        for (var mask = 0; mask < 1 << Units; mask++)
        {
            all.add_(network.Forward(weights, inputs, new GivenMask(mask)).softmax(1), 1f / (1 << Units));
        }

        var errors = new[] { 100, 10_000 }.Select(samples =>
            (new MonteCarloDropout(network, weights, _random, 0, samples).Predict(inputs) - all).abs().max().item<float>()).ToArray();
        var scaled = (new SingleModel(network, weights).Predict(inputs) - all).abs().max().item<float>();

        // A probability's deviation over masks is at most ½: 0.02 is four standard errors of 10,000 masks.
        Assert.InRange(errors[1], 0, 0.02);
        Assert.True(errors[1] < errors[0], $"{errors[0]} with 100 masks, {errors[1]} with 10,000");
        Assert.True(scaled > 0.02, $"Weight scaling is only an approximation of it: {scaled}");
    }

    [Fact]
    public void A_rows_answer_does_not_depend_on_its_company()
    {
        var network = new Network([6], [new Dense(9), new Relu(), new Dropout(0.5, DropoutKind.Inverted), new Dense(4)]);
        using var weights = Weights.Initialize(network.Layout, _random, 0);
        var inputs = rand(100, 6);
        var predictor = new MonteCarloDropout(network, weights, _random, 0, Samples);

        var alone = predictor.Predict(inputs.narrow(0, 41, 1));

        Assert.Equal(0, (predictor.Predict(inputs).narrow(0, 41, 1) - alone).abs().max().item<float>(), 1e-6);
    }

    [Fact]
    public void The_expected_entropy_is_the_mean_of_the_samples_entropies()
    {
        var network = new Network([6], [new Dense(9), new Relu(), new Dropout(0.5, DropoutKind.Inverted), new Dense(4)]);
        using var weights = Weights.Initialize(network.Layout, _random, 0);
        var inputs = rand(100, 6);
        var predictor = new MonteCarloDropout(network, weights, _random, 0, Samples);

        var answer = ((IPredictor)predictor).Answer(inputs);
        var samples = cat(predictor.Samples(inputs).ToList(), 0);
        var entropy = -(samples * samples.log()).sum(-1).mean([0]);

        Assert.Equal([Samples, 100, 4], samples.shape);
        Assert.Equal(0, (answer.Probabilities - predictor.Predict(inputs)).abs().max().item<float>(), 1e-6);
        Assert.Equal(0, (answer.ExpectedEntropy - entropy).abs().max().item<float>(), 1e-5);
        Assert.True((Answer.EntropyOf(answer.Probabilities) > answer.ExpectedEntropy).all().item<bool>(), "Averaging adds entropy.");
    }

    /// <summary>Notes how many rows pass.</summary>
    private sealed record Probe(List<long> Rows) : Layer
    {
        public override Function Build(NetworkBuilder builder) => (_, inputs, _) =>
        {
            Rows.Add(inputs.shape[0]);
            return inputs;
        };
    }

    /// <summary>Unit i is kept if bit i is set.</summary>
    private sealed class GivenMask(int bits) : Noise
    {
        public override int Samples => 1;

        public override void Mask(int dropout, int sample, double rate, float kept, Span<float> mask)
        {
            for (var i = 0; i < mask.Length; i++) mask[i] = (bits >> i & 1) * kept;
        }
    }
}
