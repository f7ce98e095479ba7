using System.CommandLine;
using System.Runtime.CompilerServices;
using DistributedEnsemble.Client.Clusters;
using DistributedEnsemble.Client.Commands;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Reports.TensorBoard;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Client.Trackers;

/// <summary>The options that let other tools follow a training, and what they ask for.</summary>
internal sealed class Tracking(SharedOptions shared, Consoles consoles, TimeProvider time)
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(2);

    private readonly Option<bool> _tensorBoard = new("--tensorboard") { Description = "Write TensorBoard's event files into the run's folder while it trains." };
    private readonly Option<string?> _mlflow = new("--mlflow") { Description = "Tell an MLflow tracking server how it goes.", HelpName = "URL" };

    public void AddTo(Command command)
    {
        command.Add(_tensorBoard);
        command.Add(_mlflow);
    }

    /// <summary>Finds what is wrong with the options before anything is asked or trained.</summary>
    /// <exception cref="UsageException">They cannot be met.</exception>
    public void Check(ParseResult parsed)
    {
        var option = parsed.GetValue(_tensorBoard) ? _tensorBoard.Name : parsed.GetValue(_mlflow) is not null ? _mlflow.Name : null;
        if (option is not null && shared.Read(parsed).Cluster is not null)
            throw new UsageException($"{option} and --cluster exclude each other: the metric lines are in the run's folder, which the silos have.");
    }

    /// <returns>The tracking server, which answers; null if none is asked for.</returns>
    /// <exception cref="UsageException">Its address is none.</exception>
    /// <exception cref="ServerUnreachableException">The tracking server does not answer.</exception>
    public async Task<MlflowServer?> ConnectAsync(ParseResult parsed)
    {
        if (parsed.GetValue(_mlflow) is not { } url) return null;
        var server = new MlflowServer(url);
        // Whatever the answer is, there is one.
        await server.PostAsync("experiments/search", new { max_results = 1 });
        return server;
    }

    /// <summary>Begins to follow a run; without a tracker that cannot.</summary>
    /// <param name="evaluateEma">Measures the run's EMA models on the test split.</param>
    public async Task<List<IRunTracker>> BeginAsync(
        ParseResult parsed, ICluster cluster, RunKey run, EnsembleSpec spec, MlflowServer? server, Func<Task<EvaluationReport>> evaluateEma)
    {
        var trackers = new List<IRunTracker>();
        if (!parsed.GetValue(_tensorBoard) && server is null) return trackers;
        var folder = new RunFolder(cluster.Storage, run.Name);
        if (parsed.GetValue(_tensorBoard))
        {
            var output = shared.Read(parsed).OutputOf(run.Name);
            await TryAsync(() => Task.FromResult<IRunTracker>(new TensorBoardTracker(new TensorBoardLogs(folder, spec, time.GetUtcNow(), output), evaluateEma)));
        }

        if (server is not null) await TryAsync(async () => await MlflowTracker.BeginAsync(server, folder, spec, time));
        foreach (var warning in trackers.OfType<MlflowTracker>().Select(mlflow => mlflow.Warning).OfType<string>()) consoles.Error.WriteRaw($"Warning: {warning}");
        return trackers;

        async Task TryAsync(Func<Task<IRunTracker>> begin)
        {
            try
            {
                trackers.Add(await begin());
            }
            catch (Exception exception)
            {
                Warn(exception);
            }
        }
    }

    /// <summary>Tells the trackers now and then, between two frames.</summary>
    public async IAsyncEnumerable<ProgressFrame> FollowAsync(
        IAsyncEnumerable<ProgressFrame> frames, List<IRunTracker> trackers, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var told = time.GetTimestamp();
        await foreach (var frame in frames.WithCancellation(cancellation))
        {
            if (trackers.Count > 0 && time.GetElapsedTime(told) > s_interval)
            {
                await TellAsync(trackers, tracker => tracker.FollowAsync(frame.Status));
                told = time.GetTimestamp();
            }

            yield return frame;
        }
    }

    /// <summary>One that cannot be told is said so, and left alone from then on.</summary>
    public async Task TellAsync(List<IRunTracker> trackers, Func<IRunTracker, Task> tell)
    {
        foreach (var tracker in trackers.ToArray())
        {
            try
            {
                await tell(tracker);
            }
            catch (Exception exception)
            {
                Warn(exception);
                trackers.Remove(tracker);
                await tracker.DisposeAsync();
            }
        }
    }

    /// <summary>Whatever is wrong with somebody else's tool, the run is not its matter; an interruption says itself what it is.</summary>
    private void Warn(Exception exception)
    {
        if (exception is not OperationCanceledException) consoles.Error.WriteRaw($"Warning: {OneLine.Of(exception.Message)} The run goes on without.");
    }
}
