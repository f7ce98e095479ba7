using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Client.Runs;
using DistributedEnsemble.Serving.Processes;

namespace DistributedEnsemble.Client.Commands;

internal sealed class ResumeCommand : DriverCommand
{
    public ResumeCommand(Backend backend, SharedOptions shared, Consoles consoles, TimeProvider time, Func<Interruption> listen)
        : base(
            "resume", "Lets a paused run go on, exactly where its last checkpoint is, and does then what train does.",
            "ensemble resume digits-1")
    {
        var run = new NamedRun(shared);
        Add(run.Argument);
        var session = new TrainingSession(shared, consoles, time, listen);
        session.AddTo(this);
        SetAction((parsed, _) =>
        {
            var name = run.Name(parsed);
            return session.RunAsync(
                parsed, backend.StartCluster,
                async (cluster, stopping) =>
                {
                    var key = await cluster.Scheduler.FindAsync(name, stopping) ?? throw run.Unknown(parsed);
                    await cluster.Scheduler.ResumeAsync(key, stopping);
                    return key;
                });
        });
    }
}
