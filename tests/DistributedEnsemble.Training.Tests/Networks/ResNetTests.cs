using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Randomness;
using DistributedEnsemble.Training.Tasks;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Tests.Networks;

public sealed class ResNetTests
{
    private const string Small = """
        {
          "seed": 3, "members": 2, "model": { "depth": 8, "width": 4 },
          "training": { "epochs": 2, "batchSize": 500, "schedule": { "learningRate": 0.05 } },
          "regularization": { "l2": 1e-4, "dropout": { "rate": 0.2 } }
        }
        """;

    [Theory]
    [InlineData(8, 8)]
    [InlineData(28, 28)]
    [InlineData(5, 7)]
    [InlineData(33, 15)]
    [InlineData(1, 1)]
    public void Images_of_any_size_give_a_score_per_class(int height, int width)
    {
        var network = Build("""{ "model": { "kind": "resnet", "depth": 14, "width": 4 } }""", [1, height, width]);
        using var weights = Weights.Initialize(network.Layout, new RandomSource(1), 0);
        var noise = new TrainingNoise(new RandomSource(1), 0);

        Assert.Equal([3, 10], network.Forward(weights, rand(3, 1, height, width), Noise.None).shape);
        Assert.Equal([1, 10], network.Forward(weights, rand(1, 1, height, width), noise.At(1)).shape);
    }

    [Fact]
    public void Rows_of_features_are_refused() => Assert.Equal(
        "model.kind is resnet: it needs images, and \"digits\" has rows of 30 features. Choose mlp.",
        Assert.Throws<SpecException>(() => Build("""{ "model": { "kind": "resnet" } }""", [30])).Message);

    [Theory]
    [InlineData(8)]
    [InlineData(20)]
    public void Depth_counts_the_layers_with_decayed_weights(int depth)
    {
        var layout = Build($$"""{ "model": { "depth": {{depth}}, "width": 4 } }""", [1, 8, 8]).Layout;

        Assert.Equal(depth, layout.Tensors.Count(tensor => tensor.IsDecayed));
        Assert.All(layout.Tensors.Where(tensor => tensor.IsDecayed), tensor => Assert.True(tensor.Shape.Count is 2 or 4));
    }

    [Fact]
    public void Tensors_have_PyTorchs_names_in_forward_order()
    {
        var names = Build(Small, [1, 8, 8]).Layout.Tensors.Select(tensor => tensor.Name).ToList();

        Assert.Equal(
            ["layers.0.weight", "layers.1.weight", "layers.1.bias", "layers.1.running_mean", "layers.1.running_var", "layers.2.weight"],
            names.Take(6));
        Assert.Equal(["layers.14.weight", "layers.14.bias"], names.TakeLast(2));
    }

    [Fact]
    public void A_block_whose_convolutions_are_zero_passes_every_second_pixel_and_adds_channels_of_zeros()
    {
        var network = new Network([2, 5, 4], [new Residual(3, Stride: 2)]);
        using var weights = Weights.Initialize(network.Layout, new RandomSource(1), 0);
        foreach (var place in network.Layout.Tensors.Where(tensor => tensor.IsDecayed)) weights.Values(place).Clear();
        var image = arange(2 * 5 * 4, dtype: ScalarType.Float32).view(1, 2, 5, 4).sub(10);

        var passed = network.Forward(weights, image, Noise.None);

        Assert.Equal([1, 3, 3, 2], passed.shape);
        Assert.Equal([0f, 0, 0, 0, 6, 8, 10, 12, 18, 20, 26, 28, 0, 0, 0, 0, 0, 0], Expected(passed));

        // 2 channels of 5×4 from −10: rows 0, 2, 4 and columns 0, 2; what is negative is cut.
        static float[] Expected(Tensor tensor) => tensor.flatten().data<float>().ToArray();
    }

    [Fact]
    public void The_same_member_on_two_threads_has_the_same_bits_statistics_included()
    {
        var plan = Plans.Of(Small);
        var hashes = new string[2];
        var threads = Enumerable.Range(0, 2).Select(i => new Thread(() => hashes[i] = Train(plan, member: 1, plan.Of(0).Steps))).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());

        Assert.Equal(hashes[0], hashes[1]);
        Assert.NotEqual(hashes[0], Train(plan, member: 0, plan.Of(0).Steps));
    }

    [Fact]
    public void Going_on_from_a_checkpoint_in_mid_epoch_equals_never_having_stopped()
    {
        var plan = Plans.Of(Small);
        set_num_threads(1);
        using var first = new MemberTraining(plan, 0);
        while (first.Step < plan.Of(0).StepsPerEpoch + 1) first.Advance();
        using var checkpoint = first.CopyCheckpoint();
        Assert.Contains(checkpoint.Weights.Statistics.Span.ToArray(), value => value is not (0 or 1));

        using var second = new MemberTraining(plan, 0, checkpoint);
        while (second.Step < plan.Of(0).Steps) second.Advance();
        using var weights = second.CopyWeights();

        Assert.Equal(Train(plan, member: 0, plan.Of(0).Steps), weights.Sha256());
    }

    [Fact]
    public void Prediction_leaves_the_running_statistics_alone()
    {
        var plan = Plans.Of(Small);
        using var weights = Weights.Initialize(plan.Of(0).Network.Layout, plan.Random, 0);
        var before = weights.Sha256();

        BatchedPrediction.OfRows(new SingleModel(plan.Of(0).Network, plan.Task, weights), plan.Dataset.Test, 0, 100, TestContext.Current.CancellationToken);

        Assert.Equal(before, weights.Sha256());
    }

    [Fact]
    public void It_learns_the_digits()
    {
        var plan = Plans.Of("""
            {
              "model": { "depth": 8, "width": 8 },
              "training": { "epochs": 4, "batchSize": 64, "schedule": { "learningRate": 0.1 } }
            }
            """);
        using var member = new MemberTraining(plan, 0);
        while (member.Step < plan.Of(0).Steps) member.Advance();
        using var weights = member.CopyWeights();
        var answers = BatchedPrediction.OfRows(new SingleModel(plan.Of(0).Network, plan.Task, weights), plan.Dataset.Test, 0, (int)plan.Dataset.Test.Count, TestContext.Current.CancellationToken);

        var quality = ClassificationQuality.Of((Classification)plan.Task, answers, plan.Dataset.Test.Targets);

        Assert.InRange(quality["accuracy"], 0.9, 1);
    }

    private static string Train(TrainingPlan plan, int member, int steps)
    {
        set_num_threads(1);
        using var training = new MemberTraining(plan, member);
        while (training.Step < steps) training.Advance();
        using var weights = training.CopyWeights();
        return weights.Sha256();
    }

    private static Network Build(string spec, long[] shape) => new NetworkRegistry().Build(Plans.Spec(spec), shape, 10);
}
