using System.CommandLine;
using DistributedEnsemble.Client.Clusters;
using DistributedEnsemble.Client.Commands;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Client.Servers;
using DistributedEnsemble.Client.Signals;
using DistributedEnsemble.Client.Trackers;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving.Processes;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using Spectre.Console;

namespace DistributedEnsemble.Client.Runs;

/// <summary>What train and resume do with a run once it goes: show it to its end, evaluate it, and say how to go on.</summary>
internal sealed class TrainingSession(SharedOptions shared, Consoles consoles, TimeProvider time, Func<Interruption> listen)
{
    /// <summary>How long a silo of this process has, at the first signal, for a run that is about to begin. A second signal ends the process at once.</summary>
    private static readonly TimeSpan s_ending = TimeSpan.FromSeconds(10);

    private readonly TrainingPage _page = new(shared, consoles);
    private readonly Tracking _tracking = new(shared, consoles, time);
    private readonly Option<bool> _quiet = new("--quiet") { Description = "Print no progress, only what comes of it." };

    /// <summary>The options of every command that trains.</summary>
    public void AddTo(Command command)
    {
        _page.AddTo(command);
        _tracking.AddTo(command);
        command.Add(_quiet);
    }

    /// <param name="beginAsync">Starts or resumes the run on the cluster.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(
        ParseResult parsed, Func<EmbeddedOptions, CancellationToken, Task<ICluster>> startCluster, Func<ICluster, CancellationToken, Task<RunKey>> beginAsync)
    {
        var isWatched = _page.IsAsked(parsed);
        _tracking.Check(parsed);
        // Starting takes a second or two, and more where data is large or a server is slow to answer: whoever waits knows that it goes on.
        var progress = consoles.Progress(shared.Json(parsed));
        if (!parsed.GetValue(_quiet)) (progress.IsInteractive() ? progress : consoles.Error).WriteRaw("Loading the data …");
        var server = await _tracking.ConnectAsync(parsed);
        using var interruption = listen();
        var stopped = "Stopped before anything was trained: nothing has changed.";
        try
        {
            await using var cluster = await startCluster(shared.Read(parsed) with { IsServed = isWatched }, interruption.Token);
            var beginning = cluster.AskAsync(() => beginAsync(cluster, interruption.Token));
            // A silo of this process says whether the run has begun, and puts it away if it has not.
            var run = await Farewell.WaitAsync(beginning, interruption.Token, cluster.OutlivesProcess ? Farewell.Time : s_ending, () =>
                stopped = $"Stopped before it was known whether the run has begun: `{shared.Suggest(parsed, "list")}` shows it.");
            if (cluster.OutlivesProcess) stopped = GoesOn(parsed, run.Name);
            await using var page = isWatched ? await _page.ServeAsync(cluster, run) : null;
            var exitCode = await FollowAsync(parsed, cluster, run, server, interruption);
            if (page is not null) consoles.Error.WriteRaw($"The page ends with the training; `{shared.Suggest(parsed, $"serve {run.Name}")}` shows it again.");
            return exitCode;
        }
        catch (OperationCanceledException) when (interruption.IsAsked)
        {
            consoles.Error.WriteRaw(stopped);
            return interruption.ExitCode;
        }
    }

    private string GoesOn(ParseResult parsed, string run) => $"Run \"{run}\" goes on; `{shared.Suggest(parsed, $"watch {run}")}`";

    private async Task<int> FollowAsync(ParseResult parsed, ICluster cluster, RunKey run, MlflowServer? server, Interruption interruption)
    {
        var (place, json) = (shared.Read(parsed), shared.Json(parsed));
        var coordinator = cluster.Grains.GetGrain<ICoordinator>(run.ToString());
        var definition = await AskAsync(coordinator.GetDefinitionAsync);
        var spec = EnsembleSpec.FromJson(definition.Spec);
        var quiet = parsed.GetValue(_quiet);
        Announce(parsed, await AskAsync(coordinator.GetStatusAsync), DataDescription.FromJson(definition.Data), spec, quiet ? null : consoles.Progress(json));
        var aggregator = cluster.Grains.GetGrain<IAggregator>(run.ToString());
        var trackers = await _tracking.BeginAsync(
            parsed, cluster, run, spec, server, () => aggregator.EvaluateAsync(new EvaluationRequest(new ConstituentChoice(PredictionSource.Ema)), interruption.Token));
        var view = quiet ? new QuietView() : ProgressViews.For(consoles.Progress(json), time, MemberNames.Of(spec));
        // What is measured for the picture ends with it.
        using var scoring = CancellationTokenSource.CreateLinkedTokenSource(interruption.Token);
        var follower = new RunFollower(() => AskAsync(coordinator.GetStatusAsync), interruption, time)
        {
            // Lines in a file are read later: there is nobody to see how it grows.
            Score = quiet || !consoles.Progress(json).IsInteractive() ? null : () => aggregator.ScoreAsync(scoring.Token),
        };
        var (status, _, _) = await view.ShowAsync(_tracking.FollowAsync(follower.FollowAsync(cluster.OutlivesProcess ? null : coordinator.StopAsync), trackers));
        await scoring.CancelAsync();

        var evaluation = status.State is RunState.Completed or RunState.Degraded
            ? await EvaluateAsync(() => AskAsync(() => aggregator.EvaluateAsync(new EvaluationRequest(), interruption.Token)), interruption)
            : null;
        await _tracking.TellAsync(trackers, tracker => tracker.EndAsync(status, evaluation));
        foreach (var tracker in trackers) await tracker.DisposeAsync();
        if (json) consoles.Out.WriteJson(RunReport.Of(status, evaluation, place));
        else if (evaluation is not null) Print(status, evaluation, spec, place);
        Warn(status, parsed, interruption);
        return interruption.IsAsked ? interruption.ExitCode : evaluation is null ? ExitCode.Failed : ExitCode.Ok;

        // Silos of a cluster may die while they are asked; the others answer.
        Task<T> AskAsync<T>(Func<Task<T>> ask) =>
            cluster.OutlivesProcess ? PatientCall.AsksAsync(() => Farewell.WaitAsync(cluster.AskAsync(ask), interruption.Token), interruption, time) : ask();
    }

    /// <summary>Says what is learned, before it is.</summary>
    private void Announce(ParseResult parsed, RunStatus status, DataDescription data, EnsembleSpec spec, IAnsiConsole? progress)
    {
        if (!status.Exact)
            consoles.Error.WriteRaw("Note: this run can not be repeated bit by bit; the silo's log said why when that became so.");
        if (DataSummary.Of(data) is { } summary) progress?.WriteRaw(OneLine.Of(summary));
        if (MemberNames.Of(spec).Groups(spec.Members) is { Length: > 0 } groups) progress?.WriteRaw($"Members differ: {groups}.");
        if (spec.Training.EarlyStopping is { } stopping) progress?.WriteRaw(InWords(stopping));
        foreach (var note in DataSummary.Notes(data)) consoles.Error.WriteRaw($"Note: {FlagWords.Of(OneLine.Of(note), parsed)}");
    }

    private static string InWords(EarlyStoppingSpec stopping) =>
        $"A member ends after {Words.Plural(stopping.Patience, "evaluation")} in a row without a lower NLL of the validation rows; there is one "
        + (stopping.EverySteps is { } steps ? $"every {Words.Plural(steps, "step")}." : "each epoch.");

    /// <returns>Null if an interruption came first: what has ended can be evaluated later.</returns>
    private static async Task<EvaluationReport?> EvaluateAsync(Func<Task<EvaluationReport>> evaluate, Interruption interruption)
    {
        if (interruption.IsAsked) return null;
        try
        {
            return await evaluate().WaitAsync(interruption.Token);
        }
        catch (OperationCanceledException) when (interruption.IsAsked)
        {
            return null;
        }
    }

    private void Print(RunStatus status, EvaluationReport evaluation, EnsembleSpec spec, EmbeddedOptions place)
    {
        consoles.Out.Write(ResultTable.Of(evaluation));
        consoles.Out.WriteRaw(StatusViews.Summary(status));
        consoles.Out.WriteRaw(place.Cluster is null
            ? $"The run lies in {Path.Join(place.Place, status.Run)}"
            : $"The run lies in the cluster of {place.Cluster}");
        if (StudentAdvice.Of(evaluation, spec) is { } advice) consoles.Error.WriteRaw($"Note: {advice}");
    }

    private void Warn(RunStatus status, ParseResult parsed, Interruption interruption)
    {
        foreach (var member in status.Members.Where(member => member.State == MemberState.Failed))
        {
            consoles.Error.WriteRaw($"Member {member.Index} failed: {OneLine.Of(member.Reason)}");
        }
        var line = RunEndings.Line(status, parsed, shared) ?? (!interruption.IsAsked ? null : status.State == RunState.Running
            ? GoesOn(parsed, status.Run)
            : $"Run \"{status.Run}\" has ended. Evaluate it with: {shared.Suggest(parsed, $"evaluate {status.Run}")}");
        if (line is not null) consoles.Error.WriteRaw(line);
    }
}
