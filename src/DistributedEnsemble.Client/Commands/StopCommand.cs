using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving.Processes;

namespace DistributedEnsemble.Client.Commands;

internal sealed class StopCommand : DriverCommand
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    public StopCommand(Backend backend, SharedOptions shared, Consoles consoles, TimeProvider time, Func<Interruption> listen)
        : base(
            "stop", "Lets a run that another process trains take its checkpoints and pause, and waits for that.",
            "ensemble stop digits-1")
    {
        var run = new NamedRun(shared);
        Add(run.Argument);
        SetAction(async (parsed, _) =>
        {
            using var interruption = listen();
            var options = shared.Read(parsed);
            var catalog = await Stoppable.RunAsync(cancellation =>
            {
                var opened = backend.OpenCatalog(options);
                opened.RequestStop(run.Find(parsed, opened, cancellation).Run, cancellation);
                return opened;
            }, interruption);
            var status = catalog is null ? null : await WhenStillAsync(() => Stoppable.RunAsync(_ => run.Find(parsed, catalog, CancellationToken.None), interruption), interruption, time);
            if (status is null)
            {
                consoles.Error.WriteRaw($"Stopped before the run had: `{shared.Suggest(parsed, $"status {run.Name(parsed)}")}` shows how it is.");
                return interruption.ExitCode;
            }

            if (shared.Json(parsed)) consoles.Out.WriteRaw(RunStatusJson.ToJson(status));
            if (RunEndings.Line(status, parsed, shared) is { } line) consoles.Error.WriteRaw(line);
            else if (!shared.Json(parsed)) consoles.Out.WriteRaw(StatusViews.Summary(status));
            return interruption.IsAsked ? interruption.ExitCode : ExitCode.Ok;
        });
    }

    /// <returns>Null if an interruption came before an answer.</returns>
    private static async Task<RunStatus?> WhenStillAsync(Func<Task<RunStatus?>> askAsync, Interruption interruption, TimeProvider time)
    {
        while (true)
        {
            if (await askAsync() is not { } status) return null;
            if (status.IsAtRest || interruption.IsAsked) return status;
            await Task.Delay(Interval, time, interruption.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
