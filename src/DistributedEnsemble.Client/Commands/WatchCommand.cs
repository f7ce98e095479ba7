using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Client.Runs;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Silo;

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
            var catalog = backend.OpenCatalog(shared.Read(parsed));
            var first = run.Find(parsed, catalog);
            var view = ProgressViews.For(consoles.Progress(shared.Json(parsed)), time, NamesOf(catalog, first));
            var follower = new RunFollower(() => Task.FromResult(Again(catalog, first)), interruption, time);
            var status = (await view.ShowAsync(follower.FollowAsync(stop: null))).Status;
            if (shared.Json(parsed)) consoles.Out.WriteRaw(RunStatusJson.ToJson(status));
            if (RunEndings.Line(status, parsed, shared) is { } line) consoles.Error.WriteRaw(line);
            return interruption.IsAsked ? interruption.ExitCode : status.State == RunState.Failed ? ExitCode.Failed : ExitCode.Ok;
        });
    }

    /// <summary>A run whose spec cannot be read is watched all the same.</summary>
    private static MemberNames NamesOf(IRunCatalog catalog, RunStatus run)
    {
        try
        {
            return MemberNames.Of(catalog.ReadSpec(run.Run));
        }
        catch (InvalidDataException)
        {
            return MemberNames.Plain;
        }
    }

    private static RunStatus Again(IRunCatalog catalog, RunStatus first) =>
        catalog.Find(first.Run) is { } now && now.Id == first.Id ? now : throw new UsageException($"Run \"{first.Run}\" was deleted.");
}
