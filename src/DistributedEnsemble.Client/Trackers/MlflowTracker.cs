using DistributedEnsemble.Messages;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Reports;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Members;

namespace DistributedEnsemble.Client.Trackers;

/// <summary>
/// Tells an MLflow server of a run: its spec as parameters, each member's metric lines by step, what the ensemble is measured at, and
/// the files that describe it.
/// </summary>
internal sealed class MlflowTracker : IRunTracker
{
    /// <summary>What one request may have, as the protocol says.</summary>
    private const int MostMetrics = 1000, MostParameters = 100, LongestValue = 500;

    private readonly MlflowServer _server;
    private readonly RunFolder _folder;
    private readonly MetricTail _tail;
    private readonly TimeProvider _time;
    private readonly string _id, _artifacts;

    private MlflowTracker(MlflowServer server, RunFolder folder, TimeProvider time, string id, string artifacts) =>
        (_server, _folder, _tail, _time, _id, _artifacts) = (server, folder, new MetricTail(folder), time, id, artifacts);

    /// <summary>Begins a run of the server's, in the experiment that has the dataset's name.</summary>
    /// <inheritdoc cref="MlflowServer.PostAsync"/>
    public static async Task<MlflowTracker> BeginAsync(MlflowServer server, RunFolder folder, EnsembleSpec spec, TimeProvider time)
    {
        var experiment = await server.ExperimentAsync(Path.GetFileNameWithoutExtension(spec.Data.Dataset));
        var created = await server.PostAsync("runs/create", new
        {
            experiment_id = experiment,
            run_name = folder.Name,
            start_time = time.GetUtcNow().ToUnixTimeMilliseconds(),
            tags = new[] { new { key = "mlflow.source.name", value = "DistributedEnsemble" } },
        });
        var tracker = new MlflowTracker(server, folder, time, server.TextOf(created, "run", "info", "run_id"), server.TextOf(created, "run", "info", "artifact_uri"));
        foreach (var some in SpecValues.Of(spec).Chunk(MostParameters))
        {
            await server.PostAsync("runs/log-batch", new
            {
                run_id = tracker._id,
                @params = some.Select(value => new { key = value.Key, value = Shortened(value.Value.ToString()) }),
            });
        }

        return tracker;
    }

    public string? Warning => MlflowServer.TakesFiles(_artifacts)
        ? null : $"The tracking server keeps files of runs at {OneLine.Excerpt(_artifacts)}, where only clients of that store write: it gets no spec.json, data.json and run.json. `mlflow server --serve-artifacts` takes them.";

    public async Task FollowAsync(RunStatus status)
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        var metrics = status.Members.SelectMany(member => _tail.ReadOn(member.Index).SelectMany(line => Metrics(member.Index, line, now))).ToArray();
        foreach (var some in metrics.Chunk(MostMetrics)) await _server.PostAsync("runs/log-batch", new { run_id = _id, metrics = some });
    }

    public async Task EndAsync(RunStatus status, EvaluationReport? evaluation)
    {
        await FollowAsync(status);
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        if (evaluation is not null)
        {
            var measures = evaluation.Ensemble.All.Select(measure => (Key: $"ensemble/{measure.Name}", measure.Value))
                .Concat(evaluation.Single.Mean.All.Select(measure => (Key: $"mean_member/{measure.Name}", measure.Value)))
                .Where(measure => measure.Value is { } value && double.IsFinite(value));
            await _server.PostAsync("runs/log-batch", new
            {
                run_id = _id, metrics = measures.Select(measure => new Metric(measure.Key, measure.Value!.Value, now, evaluation.Weights.Max(file => file.Step))),
            });
        }

        if (MlflowServer.TakesFiles(_artifacts))
        {
            foreach (var file in new[] { RunFolder.SpecFile, RunFolder.DataFile, RunFolder.StatusFile }.Where(_folder.Exists))
                await _server.PutAsync(_artifacts, file, _folder.ReadAllBytes(file));
        }

        await _server.PostAsync("runs/update", new
        {
            run_id = _id,
            status = status.State is RunState.Completed or RunState.Degraded ? "FINISHED" : status.State == RunState.Failed ? "FAILED" : "KILLED",
            end_time = now,
        });
    }

    public ValueTask DisposeAsync()
    {
        _server.Dispose();
        return ValueTask.CompletedTask;
    }

    private static IEnumerable<Metric> Metrics(int member, StepMetrics line, long time)
    {
        (string Name, double Value)[] values =
        [
            ("loss", line.Loss), ("learning_rate", line.LearningRate), (line.Quality.Measure, line.Quality.Value), ("validation_nll", line.Validation?.Nll ?? double.NaN),
        ];
        return values.Where(value => double.IsFinite(value.Value)).Select(value => new Metric($"member_{member:D2}/{value.Name}", value.Value, time, line.Step));
    }

    private static string Shortened(string text) => text.Length <= LongestValue ? text : text[..LongestValue];

    /// <summary>As the protocol has it.</summary>
    private sealed record Metric(string key, double value, long timestamp, long step);
}
