using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Members;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Tests.Members;

public sealed class CheckpointTests : IDisposable
{
    private const int MidEpoch = 18;
    private readonly TemporaryFolder _runs = new();

    [Theory]
    [InlineData("sgd", true)]
    [InlineData("sgd", false)]
    [InlineData("adam", true)]
    [InlineData("adam", false)]
    [InlineData("adamw", true)]
    [InlineData("adamw", false)]
    public async Task Going_on_from_a_checkpoint_in_another_process_equals_never_having_stopped(string optimizer, bool hasDropout)
    {
        var spec = Spec(optimizer, hasDropout);
        var plan = Plans.Of(spec);
        Assert.NotEqual(0, MidEpoch % plan.Of(0).StepsPerEpoch);
        var (uninterrupted, checkpoint) = TrainAndSave(plan, member: 1);

        Assert.Equal(uninterrupted, await OtherProcess.ContinueAsync(spec, _runs.Path, checkpoint));
    }

    [Theory]
    [InlineData("gaussian")]
    [InlineData("squared-error")]
    public async Task A_regression_goes_on_as_if_it_had_never_stopped(string likelihood)
    {
        var spec = Plans.Number.Replace("\"epochs\": 3, \"batchSize\": 80", $"\"epochs\": 5, \"batchSize\": 100, \"likelihood\": \"{likelihood}\"");
        var plan = Plans.Of(spec);
        Assert.NotEqual(0, MidEpoch % plan.Of(0).StepsPerEpoch);
        var (uninterrupted, checkpoint) = TrainAndSave(plan, member: 1);

        Assert.Equal(uninterrupted, await OtherProcess.ContinueAsync(spec, _runs.Path, checkpoint));
    }

    [Theory]
    [InlineData("label", "mlp")]
    [InlineData("price", "mlp")]
    [InlineData("label", "tabm")]
    [InlineData("price", "tabm")]
    [InlineData("price", "columns")]
    public async Task A_table_of_columns_of_each_kind_goes_on_as_if_it_had_never_stopped(string target, string model)
    {
        var (mlp, tabm) = target == "label" ? (MixedSpecs.Class, MixedSpecs.TabMClass) : (MixedSpecs.Number, MixedSpecs.TabMNumber);
        var spec = (model == "tabm" ? tabm : mlp).Replace("\"epochs\": 5", "\"epochs\": 10");
        if (model == "columns") spec = spec.Replace("\"data\": {", "\"data\": { \"columns\": 0.5,");
        var plan = Plans.Of(spec);
        Assert.Equal((30, 1), (plan.Of(0).Steps, plan.Dataset.Embedded.Count));
        var (uninterrupted, checkpoint) = TrainAndSave(plan, member: 1);

        Assert.Equal(uninterrupted, await OtherProcess.ContinueAsync(spec, _runs.Path, checkpoint));
    }

    [Fact]
    public async Task Channels_that_are_dropped_in_rows_that_are_seen_twice_go_on_as_if_they_had_never_stopped()
    {
        var spec = Plans.Small.Replace("\"kind\": \"mlp\", \"hidden\": [19, 13]", "\"kind\": \"resnet\", \"depth\": 8, \"width\": 4")
            .Replace("\"rate\": 0.3, \"inputRate\": 0.1", "\"rate\": 0.3, \"spatial\": true, \"repeats\": 2").Replace("\"epochs\": 3", "\"epochs\": 2");
        var plan = Plans.Of(spec);
        var (uninterrupted, checkpoint) = TrainAndSave(plan, member: 1);

        Assert.Equal(uninterrupted, await OtherProcess.ContinueAsync(spec, _runs.Path, checkpoint));
    }

    [Fact]
    public void A_checkpoint_is_a_copy_that_further_steps_leave_alone()
    {
        var plan = Plans.Of(Spec("adam", hasDropout: true));
        using var training = new MemberTraining(plan, 0);
        training.TrainTo(plan, MidEpoch);
        using var checkpoint = training.CopyCheckpoint();
        string State() => checkpoint.Weights.Sha256() + string.Concat(checkpoint.Optimizer.Select(vector => vector.Values.ToArray().Sum()));
        var before = State();

        training.TrainTo(plan, MidEpoch + 3);

        Assert.Equal(before, State());
        Assert.Equal(MidEpoch, checkpoint.Step);
    }

    [Theory]
    [InlineData("mlp")]
    [InlineData("resnet")]
    public async Task A_checkpoint_of_a_large_network_is_that_of_its_step_although_it_is_copied_beside_the_next_ones(string kind)
    {
        var model = kind == "mlp" ? "\"kind\": \"mlp\", \"hidden\": [1500, 1500]" : "\"kind\": \"resnet\", \"depth\": 8, \"width\": 90";
        var spec = Spec("sgd", hasDropout: true).Replace("\"kind\": \"mlp\", \"hidden\": [19, 13]", model).Replace("\"rate\": 0.3, \"inputRate\": 0.1", "\"rate\": 0.3");
        var plan = Plans.Of(spec);
        using var training = new MemberTraining(plan, 0);
        for (var step = 1; step <= 4; step++)
        {
            training.Advance();
            using var expected = training.CopyCheckpoint();
            var copying = training.CopyCheckpointAsync();
            training.Advance();
            using var checkpoint = await copying;

            Assert.InRange(expected.Weights.Parameters.Length * (1 + expected.Optimizer.Count), 1 << 22, long.MaxValue);
            Assert.Equal(expected.Step, checkpoint.Step);
            Assert.Equal(expected.Weights.Sha256(), checkpoint.Weights.Sha256());
            foreach (var (wanted, found) in expected.Optimizer.Zip(checkpoint.Optimizer)) Assert.True(wanted.Values.Span.SequenceEqual(found.Values.Span), wanted.Name);
        }
    }

    public void Dispose() => _runs.Dispose();

    private static string Spec(string optimizer, bool hasDropout)
    {
        var spec = Plans.Small.Replace("\"epochs\": 3", $"\"epochs\": 3, \"optimizer\": {{ \"kind\": \"{optimizer}\" }}");
        if (optimizer != "sgd") spec = spec.Replace("0.05", "0.003");
        return hasDropout ? spec : spec.Replace("\"dropout\": { \"rate\": 0.3, \"inputRate\": 0.1 }", $"\"weightDecay\": {(optimizer == "adam" ? 0 : 0.01)}");
    }

    private (string Sha256, WeightFile Checkpoint) TrainAndSave(TrainingPlan plan, int member)
    {
        set_num_threads(1);
        var folder = new RunFolder(_runs.Path, plan.Spec.Name!);
        Directory.CreateDirectory(folder.Root);
        File.WriteAllText(folder.Spec, plan.Spec.ToJson());
        using var training = new MemberTraining(plan, member);
        training.TrainTo(plan, MidEpoch);
        using var checkpoint = training.CopyCheckpoint();
        var file = WeightFiles.SaveCheckpoint(folder, RunKey.New(plan.Spec.Name!), new MemberAttempt(member, 1), checkpoint);
        return (training.TrainTo(plan, plan.Of(0).Steps), file);
    }
}
