using System.CommandLine;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Client.Runs;
using DistributedEnsemble.Client.Signals;
using Spectre.Console;

namespace DistributedEnsemble.Client.Commands;

internal sealed class TrainCommand : DriverCommand
{
    private readonly Backend _backend;
    private readonly SharedOptions _shared;
    private readonly SpecArguments _spec = new();
    private readonly Consoles _consoles;
    private readonly TimeProvider _time;

    public TrainCommand(Backend backend, SharedOptions shared, Consoles consoles, TimeProvider time, Func<Interruption> listen)
        : base(
            "train", "Trains an ensemble, evaluates it, and prints what it gains over a single model.",
            "ensemble train",
            "ensemble train --dataset fashion-mnist --members 5 --name fashion-five",
            "ensemble train spec.json --set training.optimizer.kind=adam")
    {
        (_backend, _shared, _consoles, _time) = (backend, shared, consoles, time);
        _spec.AddTo(this);
        SetAction(async (parsed, _) =>
        {
            using var interruption = listen();
            try
            {
                return await TrainAsync(parsed, interruption);
            }
            catch (OperationCanceledException) when (interruption.IsAsked)
            {
                return interruption.ExitCode;
            }
        });
    }

    private async Task<int> TrainAsync(ParseResult parsed, Interruption interruption)
    {
        var (options, json) = (_shared.Read(parsed), _shared.Json(parsed));
        var submission = new Submission(_backend.ComposeSpec(_spec.ReadFile(parsed), _spec.Overrides(parsed), options.DataFolder));

        await using var cluster = await _backend.StartCluster(options, interruption.Token);
        var run = await cluster.Grains.GetGrain<IScheduler>(IScheduler.Key).SubmitAsync(submission);
        var coordinator = cluster.Grains.GetGrain<ICoordinator>(run.ToString());
        var view = ProgressViews.For(_consoles.Progress(json), _time);
        var (status, _) = await view.ShowAsync(new RunFollower(coordinator.GetStatusAsync, interruption, _time).FollowAsync(coordinator.StopAsync));

        var evaluation = status.State is RunState.Completed or RunState.Degraded
            ? await EvaluateAsync(cluster.Grains.GetGrain<IAggregator>(run.ToString()), interruption)
            : null;
        if (json) _consoles.Out.WriteJson(RunReport.Of(status, evaluation, options.RunsFolder));
        else if (evaluation is not null) Print(status, evaluation, Path.Join(options.RunsFolder, status.Run));
        Warn(status, parsed, interruption);
        return interruption.IsAsked ? interruption.ExitCode : evaluation is null ? ExitCode.Failed : ExitCode.Ok;
    }

    /// <returns>Null if an interruption came first: what has ended can be evaluated later.</returns>
    private static async Task<EvaluationReport?> EvaluateAsync(IAggregator aggregator, Interruption interruption)
    {
        if (interruption.IsAsked) return null;
        try
        {
            return await aggregator.EvaluateAsync(new EvaluationRequest()).WaitAsync(interruption.Token);
        }
        catch (OperationCanceledException) when (interruption.IsAsked)
        {
            return null;
        }
    }

    private void Print(RunStatus status, EvaluationReport evaluation, string folder)
    {
        _consoles.Out.Write(ResultTable.Of(evaluation));
        _consoles.Out.WriteRaw(StatusViews.Summary(status));
        _consoles.Out.WriteRaw($"The run lies in {folder}");
    }

    private void Warn(RunStatus status, ParseResult parsed, Interruption interruption)
    {
        foreach (var member in status.Members.Where(member => member.State == MemberState.Failed))
        {
            _consoles.Error.WriteRaw($"Member {member.Index} failed at step {Words.Count(member.Step)}: {member.Reason}");
        }
        var line = RunEndings.Line(status, parsed, _shared) ?? (interruption.IsAsked
            ? $"Run \"{status.Run}\" has ended. Evaluate it with: {_shared.Suggest(parsed, $"evaluate {status.Run}")}"
            : null);
        if (line is not null) _consoles.Error.WriteRaw(line);
    }
}
