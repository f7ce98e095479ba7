using DistributedEnsemble.Client.Clusters;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Signals;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Stores.Redis;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Exports;
using DistributedEnsemble.Training.Exports.Onnx;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Client.Runs;

/// <summary>The runs of a cluster: asked of its silos, which share a folder that this process need not see.</summary>
internal sealed class ClusterRunCatalog(RedisAddress address) : IRunCatalog, IDisposable
{
    private const int Attempts = 20;

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(500);

    private readonly EnsembleTrainingOptions _training = new();
    private ICluster? _cluster;

    public IReadOnlyList<string> Names(CancellationToken cancellation)
    {
        var names = new List<string>();
        while (true)
        {
            var page = Await(grains => Scheduler(grains).ListAllAsync(names.LastOrDefault(), cancellation), cancellation);
            if (page.IsEmpty) return names;
            names.AddRange(page.Select(run => run.Name));
        }
    }

    public RunStatus? Find(string name, CancellationToken cancellation) => Await(async grains =>
        await Scheduler(grains).FindAsync(name, cancellation) is { } run ? await StatusAsync(Coordinator(grains, run)) : null, cancellation);

    public bool Exists(string name, CancellationToken cancellation) => Await(grains => Scheduler(grains).FindAsync(name, cancellation), cancellation) is not null;

    public void RequestStop(string name, CancellationToken cancellation)
    {
        var run = Existing(name, cancellation);
        if (Find(name, cancellation) is { State: not (RunState.Running or RunState.Queued) })
            throw new RunRejectedException($"Run \"{name}\" is not in training: there is nothing to stop.");
        Await(grains => DoneAsync(Coordinator(grains, run).StopAsync()), cancellation);
    }

    public void Delete(string name, CancellationToken cancellation)
    {
        var run = Existing(name, cancellation);
        Await(grains => DoneAsync(Coordinator(grains, run).DeleteAsync()), cancellation);
    }

    public EnsembleSpec ReadSpec(string name, CancellationToken cancellation) => RunDescription.SpecOf(Definition(name, cancellation));

    public RunDescription ReadDescription(string name, CancellationToken cancellation) => RunDescription.Of(Definition(name, cancellation));

    public EvaluationReport Evaluate(string name, ConstituentChoice choice, double? coverage, CancellationToken cancellation)
    {
        var run = Existing(name, cancellation);
        return Await(grains => grains.GetGrain<IAggregator>(run.ToString()).EvaluateAsync(new EvaluationRequest(choice, coverage), cancellation), cancellation);
    }

    public void Predict(
        string name, ConstituentChoice choice, double? coverage, Func<DataDescription, IRowBatches> open, Action<PredictedRows> write, CancellationToken cancellation)
    {
        using var models = Download(name, choice, cancellation);
        RunPrediction.Predict(models.Folder, models.Status, choice, coverage, _training.Networks, open, write, cancellation);
    }

    public PredictedRows PredictOutOfFold(string name, ConstituentChoice choice, double? coverage, CancellationToken cancellation)
    {
        var run = Existing(name, cancellation);
        return OutOfFoldPrediction.All(start => Await(grains =>
            grains.GetGrain<IAggregator>(run.ToString()).PredictOutOfFoldAsync(new OutOfFoldRequest(choice, coverage, start), cancellation), cancellation));
    }

    public ExportManifest Export(string name, ConstituentChoice choice, string output, CancellationToken cancellation)
    {
        using var models = Download(name, choice, cancellation);
        return RunExport.Write(models.Folder, models.Status, choice, _training.Networks, output, cancellation);
    }

    public OnnxFile ExportOnnx(string name, ConstituentChoice choice, bool isSingle, string output, CancellationToken cancellation)
    {
        using var models = Download(name, choice, cancellation);
        return OnnxExport.Write(models.Folder, models.Status, choice, isSingle, _training.Networks, output, cancellation);
    }

    public string Report(string name, ConstituentChoice choice, CancellationToken cancellation) => throw new UsageException(
        $"A report is written into the folder of the run, which the silos of {address} have: run it there, with --runs DIR.");

    public string TensorBoard(string name, CancellationToken cancellation) => throw new UsageException(
        $"Event files are written into the folder of the run, which the silos of {address} have: run it there, with --runs DIR.");

    public void Dispose() => _cluster?.DisposeAsync().AsTask().GetAwaiter().GetResult();

    private DownloadedRun Download(string name, ConstituentChoice choice, CancellationToken cancellation)
    {
        var run = Existing(name, cancellation);
        return Await(grains => DownloadedRun.FetchAsync(grains, run, choice, _training.Networks, cancellation), cancellation);
    }

    private RunDefinition Definition(string name, CancellationToken cancellation)
    {
        var run = Existing(name, cancellation);
        return Await(grains => Coordinator(grains, run).GetDefinitionAsync(), cancellation);
    }

    private RunKey Existing(string name, CancellationToken cancellation) =>
        Await(grains => Scheduler(grains).FindAsync(name, cancellation), cancellation) ?? throw new UsageException($"There is no run \"{name}\" in {address}.");

    private static IScheduler Scheduler(Orleans.IGrainFactory grains) => grains.GetGrain<IScheduler>(IScheduler.Key);

    private static ICoordinator Coordinator(Orleans.IGrainFactory grains, RunKey run) => grains.GetGrain<ICoordinator>(run.ToString());

    /// <returns>Null if there is no run behind the name: it was deleted a moment ago, or never began.</returns>
    private static async Task<RunStatus?> StatusAsync(ICoordinator coordinator)
    {
        try
        {
            return await coordinator.GetStatusAsync();
        }
        catch (RunRejectedException)
        {
            return null;
        }
    }

    private static async Task<bool> DoneAsync(Task task)
    {
        await task;
        return true;
    }

    /// <summary>The commands read a catalog as a folder; a silo that dies meanwhile is asked again elsewhere.</summary>
    /// <exception cref="OperationCanceledException">Nobody waits for it any more, also before a silo has answered at all.</exception>
    private T Await<T>(Func<Orleans.IGrainFactory, Task<T>> ask, CancellationToken cancellation)
    {
        return Task.Run(async () =>
        {
            _cluster ??= await RemoteCluster.ConnectAsync(address, cancellation);
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    return await Farewell.WaitAsync(_cluster.AskAsync(() => ask(_cluster.Grains)), cancellation);
                }
                catch (Exception exception) when (exception is OrleansException or TimeoutException && attempt < Attempts)
                {
                    await Task.Delay(s_pause, cancellation);
                }
            }
        }, cancellation).GetAwaiter().GetResult();
    }
}
