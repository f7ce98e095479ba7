using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Serving.Processes;

namespace DistributedEnsemble.Client.Commands;

internal sealed class TensorBoardCommand : DriverCommand
{
    public TensorBoardCommand(Backend backend, SharedOptions shared, Consoles consoles, Func<Interruption> listen)
        : base("tensorboard", "Writes a run's curves, keys and results as TensorBoard reads them, into the run's folder.", "ensemble tensorboard digits-1")
    {
        var run = new NamedRun(shared);
        Add(run.Argument);
        SetAction((parsed, _) => Stoppable.RunAsync(listen, consoles, "Stopped before all was written.", cancellation =>
        {
            var catalog = backend.OpenCatalog(shared.Read(parsed));
            var folder = catalog.TensorBoard(run.Find(parsed, catalog, cancellation).Run, cancellation);
            if (shared.Json(parsed)) consoles.Out.WriteJson(new { Folder = folder });
            else consoles.Out.WriteRaw($"Show it with: tensorboard --logdir {folder}");
            return ExitCode.Ok;
        }));
    }
}
