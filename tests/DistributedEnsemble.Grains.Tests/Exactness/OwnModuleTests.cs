using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Evaluation;
using DistributedEnsemble.Training.Networks;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Grains.Tests.Exactness;

/// <summary>Runs of TorchSharp modules that the host added.</summary>
public sealed class OwnModuleTests
{
    private static readonly string s_spec = Specs.Small
        .Replace("\"hidden\": [33]", "\"kind\": \"mine\", \"settings\": { \"units\": 9 }")
        .Replace("\"logging\"", "\"averaging\": { \"decay\": 0.9, \"everySteps\": 5 }, \"prediction\": { \"monteCarloSamples\": 3 }, \"logging\"");

    [Fact]
    public async Task A_module_trains_and_predicts_on_a_cluster_as_the_library_alone_does()
    {
        var networks = new NetworkRegistry();
        networks.AddModule("mine", Mine);
        await using var cluster = await EnsembleCluster.StartAsync(silos: 2, configure: options => options.Networks.AddModule("mine", Mine));
        var run = await cluster.SubmitAsync(s_spec);

        var status = await cluster.WhenAsync(run, s => s.HasEnded);
        var onCluster = await cluster.Aggregator(run).EvaluateAsync(new EvaluationRequest(), TestContext.Current.CancellationToken);
        var ofFolder = RunEvaluation.Evaluate(
            cluster.Folder(run), status, null, (spec, _) => new DatasetRegistry().Resolve(spec.Data.Dataset).Load(new DataFolders()), networks,
            cancellation: TestContext.Current.CancellationToken);

        Assert.Equal((RunState.Completed, true), (status.State, status.Exact));
        Assert.Equal(ofFolder.Ensemble, onCluster.Ensemble);
    }

    [Fact]
    public async Task A_run_of_a_module_that_draws_by_itself_is_never_called_exact()
    {
        await using var cluster = await EnsembleCluster.StartAsync(
            configure: options => options.Networks.AddModule("mine", (_, outputs, _) => Sequential(Flatten(), new Noisy(), Dropout(0.1), Linear(64, outputs))));
        var run = await cluster.SubmitAsync(s_spec);

        Assert.False((await cluster.Coordinator(run).GetStatusAsync()).Exact);
        var status = await cluster.WhenAsync(run, s => s.HasEnded);
        Assert.Equal((RunState.Completed, false), (status.State, status.Exact));
    }

    [Fact]
    public async Task A_batch_of_one_row_that_a_module_cannot_train_on_is_refused_when_the_run_is_submitted()
    {
        await using var cluster = await EnsembleCluster.StartAsync(configure: options => options.Networks.AddModule("mine", Mine));
        var spec = s_spec.Replace("\"dataset\": \"digits\"", "\"dataset\": \"digits\", \"validationFraction\": 0").Replace("\"batchSize\": 100", "\"batchSize\": 4");

        var refused = await Assert.ThrowsAsync<RunRejectedException>(() => cluster.SubmitAsync(spec));

        Assert.StartsWith("training.batchSize is 4: of 1,437 rows the last batch is one. model.kind is \"mine\": its module's buffer 2.running_var is not finite", refused.Message, StringComparison.Ordinal);
    }

    private static Module<Tensor, Tensor> Mine(IReadOnlyList<long> shape, int outputs, System.Text.Json.Nodes.JsonObject settings) =>
        Sequential(Flatten(), Linear(64, (int)settings["units"]!), BatchNorm1d((int)settings["units"]!), ReLU(), Dropout(0.3), Linear((int)settings["units"]!, outputs));

    private sealed class Noisy() : Module<Tensor, Tensor>("noisy")
    {
        public override Tensor forward(Tensor input) => input + 0.01 * randn(input.shape);
    }
}
