using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Serving.Hosting;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Benchmarks;

/// <summary>An embedded silo of two lanes, whose runs are deleted with it.</summary>
internal sealed class TemporarySilo : IAsyncDisposable
{
    private readonly EmbeddedSilo _silo;
    private readonly string _runs;

    private TemporarySilo(EmbeddedSilo silo, string runs) => (_silo, _runs) = (silo, runs);

    public static async Task<TemporarySilo> StartAsync(Preloaded? data, int lanes)
    {
        var runs = Directory.CreateTempSubdirectory("ensemble-benchmark-").FullName;
        void Configure(EnsembleTrainingOptions options)
        {
            (options.RunsFolder, options.Lanes) = (runs, lanes);
            if (data is null) options.ReadsPaths = true;
            else options.Datasets.Add(data);
        }

        return new TemporarySilo(await EmbeddedSilo.StartAsync(Configure), runs);
    }

    /// <summary>Asks all models of a run for one blank row.</summary>
    public async Task PredictRowAsync(RunStatus status)
    {
        var aggregator = _silo.Grains.GetGrain<IAggregator>(new RunKey(status.Run, status.Id).ToString());
        var width = (await aggregator.DescribeAsync()).InputShape.Aggregate(1L, (product, size) => product * size);
        await aggregator.PredictAsync(new PredictionRequest([.. new float[width]], new ConstituentChoice(PredictionSource.Snapshots)));
    }

    /// <summary>Trains a run to its end.</summary>
    /// <exception cref="InvalidOperationException">It did not get there.</exception>
    public async Task<RunStatus> TrainAsync(string spec)
    {
        var run = await _silo.Grains.GetGrain<IScheduler>(IScheduler.Key).SubmitAsync(new Submission(spec) { NamesPaths = true });
        var coordinator = _silo.Grains.GetGrain<ICoordinator>(run.ToString());
        for (var status = await coordinator.GetStatusAsync(); ; status = await coordinator.GetStatusAsync())
        {
            if (status.State == RunState.Completed) return status;
            if (status.HasEnded) throw new InvalidOperationException($"The run ended as {status.State}: {status.Reason}");
            await Task.Delay(50);
        }
    }

    public RunFolder FolderOf(RunStatus status) => new(_runs, status.Run);

    /// <summary>The resolved spec of a run, and what its data is.</summary>
    public async Task<RunDescription> DescriptionOfAsync(RunStatus status) =>
        RunDescription.Of(await _silo.Grains.GetGrain<ICoordinator>(new RunKey(status.Run, status.Id).ToString()).GetDefinitionAsync());

    /// <summary>Measures a run on its test split.</summary>
    public async Task<(RunStatus Status, EvaluationReport Report)> EvaluateAsync(RunStatus status) =>
        (status, await _silo.Grains.GetGrain<IAggregator>(new RunKey(status.Run, status.Id).ToString()).EvaluateAsync(new EvaluationRequest()));

    public async ValueTask DisposeAsync()
    {
        await _silo.DisposeAsync();
        Directory.Delete(_runs, recursive: true);
    }
}
