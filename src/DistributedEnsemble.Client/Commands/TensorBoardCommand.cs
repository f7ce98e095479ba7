using DistributedEnsemble.Client.Rendering;

namespace DistributedEnsemble.Client.Commands;

internal sealed class TensorBoardCommand : DriverCommand
{
    public TensorBoardCommand(Backend backend, SharedOptions shared, Consoles consoles)
        : base("tensorboard", "Writes a run's curves, keys and results as TensorBoard reads them, into the run's folder.", "ensemble tensorboard digits-1")
    {
        var run = new NamedRun(shared);
        Add(run.Argument);
        SetAction(parsed =>
        {
            var catalog = backend.OpenCatalog(shared.Read(parsed));
            var folder = catalog.TensorBoard(run.Find(parsed, catalog).Run);
            if (shared.Json(parsed)) consoles.Out.WriteJson(new { Folder = folder });
            else consoles.Out.WriteRaw($"Show it with: tensorboard --logdir {folder}");
        });
    }
}
