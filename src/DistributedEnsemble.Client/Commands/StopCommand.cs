using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Silo;

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
            var catalog = backend.OpenCatalog(shared.Read(parsed));
            var status = run.Find(parsed, catalog);
            catalog.RequestStop(status.Run);
            status = await WhenStillAsync(() => run.Find(parsed, catalog), interruption, time);
            if (shared.Json(parsed)) consoles.Out.WriteRaw(RunStatusJson.ToJson(status));
            if (RunEndings.Line(status, parsed, shared) is { } line) consoles.Error.WriteRaw(line);
            else if (!shared.Json(parsed)) consoles.Out.WriteRaw(StatusViews.Summary(status));
            return interruption.IsAsked ? interruption.ExitCode : ExitCode.Ok;
        });
    }

    private static async Task<RunStatus> WhenStillAsync(Func<RunStatus> ask, Interruption interruption, TimeProvider time)
    {
        while (true)
        {
            var status = ask();
            if (status.IsAtRest || interruption.IsAsked) return status;
            await Task.Delay(Interval, time, interruption.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
