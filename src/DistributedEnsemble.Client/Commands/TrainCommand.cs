using DistributedEnsemble.Client.Clusters;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Client.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Serving.Processes;

namespace DistributedEnsemble.Client.Commands;

internal sealed class TrainCommand : DriverCommand
{
    public TrainCommand(Backend backend, SharedOptions shared, Consoles consoles, TimeProvider time, Func<Interruption> listen)
        : base(
            "train", "Trains an ensemble, evaluates it, and prints what it gains over a single model.",
            "ensemble train",
            "ensemble train --dataset houses.csv --target price",
            "ensemble train --dataset fashion-mnist --members 5 --name fashion-five",
            "ensemble train spec.json --set training.optimizer.kind=adam")
    {
        var spec = new SpecArguments();
        spec.AddTo(this);
        var limit = new TimeLimit(time);
        Add(limit.Option);
        var session = new TrainingSession(shared, consoles, time, listen);
        session.AddTo(this);
        SetAction((parsed, _) =>
        {
            var (options, began) = (shared.Read(parsed), time.GetTimestamp());
            limit.Check(parsed, options);
            var composed = backend.ComposeSpec(spec.ReadFile(parsed), spec.Overrides(parsed), options.DataFolder);
            return session.RunAsync(parsed, backend.StartCluster, async (cluster, stopping) =>
            {
                // A cluster's silos do not see this machine's files.
                var sent = cluster.OutlivesProcess ? await DataUpload.SendAsync(cluster.Grains, composed, options.DataFolder, stopping) : composed;
                var limited = await limit.ApplyAsync(parsed, cluster, sent, began, consoles.Progress(shared.Json(parsed)).WriteRaw, stopping);
                return await cluster.Scheduler.SubmitAsync(new Submission(limited) { NamesPaths = true }, stopping);
            });
        });
    }
}
