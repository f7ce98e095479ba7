using DistributedEnsemble.Client.Runs;
using DistributedEnsemble.Client.Tests.Rendering;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Exports;
using DistributedEnsemble.Training.Exports.Onnx;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Client.Tests.Commands;

public sealed class WatchTests
{
    private readonly List<RunStatus> _states = [];

    private Func<EnsembleSpec> _readSpec =
        () => EnsembleSpec.FromJson("""{ "name": "r", "members": 2, "data": { "dataset": "digits" }, "variants": [ {}, { "training": { "batchSize": 16 } } ] }""");

    [Fact]
    public async Task A_run_is_shown_until_it_ends()
    {
        _states.AddRange([
            Statuses.Of(RunState.Running, Statuses.Training(0, 0)), Statuses.Of(RunState.Running, Statuses.Training(0, 500)),
            Statuses.Of(RunState.Completed, Statuses.Completed(0))]);

        var outcome = (await WatchAsync()).Succeeded();

        Assert.EndsWith("member 0 completed at step 1,000, loss 0.1250\n", outcome.Out, StringComparison.Ordinal);
        Assert.Equal("", outcome.Error);
    }

    [Fact]
    public async Task A_run_whose_spec_cannot_be_read_is_watched_all_the_same()
    {
        _states.Add(Statuses.Of(RunState.Completed, Statuses.Completed(0)));
        _readSpec = () => throw new InvalidDataException("spec.json is damaged");

        Assert.EndsWith("member 0 completed at step 1,000, loss 0.1250\n", (await WatchAsync()).Succeeded().Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_that_pauses_ends_the_watching_with_the_way_on()
    {
        _states.Add(Statuses.Of(RunState.Paused, Statuses.Waiting(0, 500)) with { Reason = "its process ended" });

        var outcome = (await WatchAsync()).Succeeded();

        Assert.StartsWith("Run \"digits-1\" is paused at step 500 of 1,000: its process ended\nGo on with: ensemble resume digits-1", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_signal_ends_the_watching_and_not_the_run()
    {
        _states.Add(Statuses.Of(RunState.Running, Statuses.Training(0, 500)));
        using var driver = new TestDriver { Backend = Wiring.Backend with { OpenCatalog = _ => new Catalog(_states, _readSpec) } };

        var outcome = await driver.RunAsync(interruption => interruption.Signal(130), "watch", "digits-1", "--json");

        Assert.Equal(130, outcome.ExitCode);
        Assert.Equal("running", outcome.Json.GetProperty("state").GetString());
    }

    private async Task<Outcome> WatchAsync()
    {
        using var driver = new TestDriver { Backend = Wiring.Backend with { OpenCatalog = _ => new Catalog(_states, _readSpec) } };
        return await driver.RunAsync("watch", "digits-1");
    }

    /// <summary>One run, one state further each time it is asked, and then forever the last.</summary>
    private sealed class Catalog(List<RunStatus> states, Func<EnsembleSpec> readSpec) : IRunCatalog
    {
        private int _asked;

        public RunStatus Find(string name, CancellationToken cancellation) => states[Math.Min(_asked++, states.Count - 1)];
        public IReadOnlyList<string> Names(CancellationToken cancellation) => throw new NotSupportedException();
        public bool Exists(string name, CancellationToken cancellation) => throw new NotSupportedException();
        public void RequestStop(string name, CancellationToken cancellation) => throw new NotSupportedException();
        public void Delete(string name, CancellationToken cancellation) => throw new NotSupportedException();
        public EnsembleSpec ReadSpec(string name, CancellationToken cancellation) => readSpec();
        public RunDescription ReadDescription(string name, CancellationToken cancellation) => throw new NotSupportedException();
        public EvaluationReport Evaluate(string name, ConstituentChoice choice, double? coverage, CancellationToken cancellation) => throw new NotSupportedException();
        public void Predict(string name, ConstituentChoice choice, double? coverage, Func<DataDescription, IRowBatches> open, Action<PredictedRows> write, CancellationToken cancellation) => throw new NotSupportedException();
        public PredictedRows PredictOutOfFold(string name, ConstituentChoice choice, double? coverage, CancellationToken cancellation) => throw new NotSupportedException();

        public ExportManifest Export(string name, ConstituentChoice choice, string output, CancellationToken cancellation) => throw new NotSupportedException();
        public OnnxFile ExportOnnx(string name, ConstituentChoice choice, bool isSingle, string output, CancellationToken cancellation) => throw new NotSupportedException();
        public string Report(string name, ConstituentChoice choice, CancellationToken cancellation) => throw new NotSupportedException();

        public string TensorBoard(string name, CancellationToken cancellation) => throw new NotSupportedException();
    }
}
