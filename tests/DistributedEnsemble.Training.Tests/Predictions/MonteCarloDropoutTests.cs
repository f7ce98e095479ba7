using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Randomness;
using DistributedEnsemble.Training.Regularization;
using DistributedEnsemble.Training.Tasks;
using DistributedEnsemble.Training.Torch;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Tests.Predictions;

public sealed class MonteCarloDropoutTests
{
    private const int Samples = 100;
    private static readonly Classification s_task = TestTasks.Classes(4);
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

        var answer = Probabilities(new MonteCarloDropout(network, s_task, weights, _random, 2, Samples), inputs);

        Assert.Equal(0, Distance(answer, sum / Samples), 1e-6);
    }

    [Fact]
    public void A_pass_has_a_bounded_number_of_rows_and_what_precedes_dropout_is_computed_once_for_its_masks()
    {
        List<long> before = [], after = [];
        var network = new Network([6], [new Probe(before), new Dense(9), new Relu(), new Dropout(0.5, DropoutKind.Inverted), new Probe(after), new Dense(4)]);
        using var weights = Weights.Initialize(network.Layout, _random, 0);

        Probabilities(new MonteCarloDropout(network, s_task, weights, _random, 0, Samples), rand(512, 6));

        Assert.Equal(512, before.Sum());
        Assert.All(after, rows => Assert.InRange(rows, 1, BatchedPrediction.BatchSize));
        Assert.Equal(Samples * 512, after.Sum());
    }

    [Fact]
    public void More_masks_than_a_pass_has_rows_take_several()
    {
        List<long> rows = [];
        var network = new Network([2], [new Dropout(0.5, DropoutKind.Inverted), new Probe(rows), new Dense(2)]);
        using var weights = Weights.Initialize(network.Layout, _random, 0);

        Probabilities(new MonteCarloDropout(network, TestTasks.Classes(2), weights, _random, 0, 1000), rand(2, 2));

        Assert.Equal([512, 488, 512, 488], rows);
    }

    [Fact]
    public void The_average_over_many_masks_converges_to_the_average_over_all_masks()
    {
        const int Units = 8;
        var network = new Network([5], [new Dense(Units), new Relu(), new Dropout(0.5, DropoutKind.Inverted), new Dense(3)]);
        using var weights = Weights.Initialize(network.Layout, _random, 0);
        weights.Parameters.Scale(4);
        var inputs = rand(20, 5);
        var all = zeros(20, 3);
        for (var mask = 0; mask < 1 << Units; mask++)
        {
            all.add_(network.Forward(weights, inputs, new GivenMask(mask)).softmax(1), 1f / (1 << Units));
        }

        var errors = new[] { 100, 10_000 }.Select(samples =>
            Distance(Probabilities(new MonteCarloDropout(network, TestTasks.Classes(3), weights, _random, 0, samples), inputs), all)).ToArray();
        var scaled = Distance(Probabilities(new SingleModel(network, TestTasks.Classes(3), weights), inputs), all);

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
        var predictor = new MonteCarloDropout(network, s_task, weights, _random, 0, Samples);

        var alone = Probabilities(predictor, inputs.narrow(0, 41, 1));

        Assert.Equal(0, Distance(Probabilities(predictor, inputs)[(41 * 4)..(42 * 4)], alone), 1e-6);
    }

    [Fact]
    public void The_expected_entropy_is_the_mean_of_the_samples_entropies()
    {
        var network = new Network([6], [new Dense(9), new Relu(), new Dropout(0.5, DropoutKind.Inverted), new Dense(4)]);
        using var weights = Weights.Initialize(network.Layout, _random, 0);
        var inputs = rand(100, 6);
        var predictor = new MonteCarloDropout(network, s_task, weights, _random, 0, Samples);

        var answer = new double[100 * 5];
        predictor.Answer(inputs, answer);
        var samples = Enumerable.Range(0, Samples).Select(Sample).ToList();

        for (var row = 0; row < 100; row++)
        {
            var entropies = samples.Select(sample => sample[(row * 5)..(row * 5 + 4)]).Select(p => -p.Sum(value => value * Math.Log(value)));
            Assert.Equal(entropies.Average(), answer[row * 5 + 4], 1e-5);
            Assert.True(Uncertainty.Entropy(answer.AsSpan(row * 5, 4)) > answer[row * 5 + 4], "Averaging adds entropy.");
        }

        double[] Sample(int sample)
        {
            var answers = new double[100 * 5];
            s_task.Answer(network.Forward(weights, inputs, new MonteCarloNoise(_random, 0, sample)).Floats(), answers);
            return answers;
        }
    }

    private static double[] Probabilities(IPredictor predictor, Tensor inputs)
    {
        var answers = new double[inputs.shape[0] * predictor.Width];
        predictor.Answer(inputs, answers);
        return TestTasks.Classes(predictor.Width - 1).Probabilities(answers);
    }

    private static double Distance(double[] answer, Tensor other) => Distance(answer, [.. other.data<float>().Select(value => (double)value)]);

    private static double Distance(double[] answer, double[] other) => answer.Zip(other, (a, b) => Math.Abs(a - b)).Max();

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
