using System.CommandLine;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Client.Runs;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving.Processes;

namespace DistributedEnsemble.Client.Commands;

internal sealed class WatchCommand : DriverCommand
{
    public WatchCommand(Backend backend, SharedOptions shared, Consoles consoles, TimeProvider time, Func<Interruption> listen)
        : base(
            "watch", "Shows a run that another process trains, until it ends or pauses; Ctrl-C ends only the watching.",
            "ensemble watch digits-1")
    {
        var run = new NamedRun(shared);
        Add(run.Argument);
        SetAction(async (parsed, _) =>
        {
            using var interruption = listen();
            var options = shared.Read(parsed);
            if (await Stoppable.RunAsync(_ => Begin(backend.OpenCatalog(options), parsed, run), interruption) is not var (catalog, first, names))
            {
                consoles.Error.WriteRaw("Stopped before the run was read.");
                return interruption.ExitCode;
            }

            var view = ProgressViews.For(consoles.Progress(shared.Json(parsed)), time, names);
            var last = first;
            // Whoever ends the watching sees the run as it was last seen, if the next look takes long.
            var follower = new RunFollower(async () => last = await Stoppable.RunAsync(_ => Again(catalog, first), interruption) ?? last, interruption, time);
            var status = (await view.ShowAsync(follower.FollowAsync(stop: null))).Status;
            if (shared.Json(parsed)) consoles.Out.WriteRaw(RunStatusJson.ToJson(status));
            if (RunEndings.Line(status, parsed, shared) is { } line) consoles.Error.WriteRaw(line);
            return interruption.IsAsked ? interruption.ExitCode : status.State == RunState.Failed ? ExitCode.Failed : ExitCode.Ok;
        });
    }

    private static Tuple<IRunCatalog, RunStatus, MemberNames> Begin(IRunCatalog catalog, ParseResult parsed, NamedRun run)
    {
        var first = run.Find(parsed, catalog, CancellationToken.None);
        return Tuple.Create(catalog, first, NamesOf(catalog, first));
    }

    /// <summary>A run whose spec cannot be read is watched all the same.</summary>
    private static MemberNames NamesOf(IRunCatalog catalog, RunStatus run)
    {
        try
        {
            return MemberNames.Of(catalog.ReadSpec(run.Run, CancellationToken.None));
        }
        catch (InvalidDataException)
        {
            return MemberNames.Plain;
        }
    }

    private static RunStatus Again(IRunCatalog catalog, RunStatus first) =>
        catalog.Find(first.Run, CancellationToken.None) is { } now && now.Id == first.Id ? now : throw new UsageException($"Run \"{first.Run}\" was deleted.");
}
