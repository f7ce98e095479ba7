using DistributedEnsemble.Client.Data;
using DistributedEnsemble.Client.Rendering;

namespace DistributedEnsemble.Client.Commands;

internal sealed class DatasetsCommand : DriverCommand
{
    public DatasetsCommand(Backend backend, SharedOptions shared, Consoles consoles)
        : base(
            "datasets", "Lists what can be trained on, and where it was looked for.",
            "ensemble datasets", "ensemble datasets --data ~/datasets") =>
        SetAction(parsed =>
        {
            var datasets = backend.ListDatasets(shared.Read(parsed).DataFolder);
            if (shared.Json(parsed)) consoles.Out.WriteJson(new DatasetList(datasets));
            else consoles.Out.Write(DatasetTable.Of(datasets));
        });

    private sealed record DatasetList(IReadOnlyList<DatasetEntry> Datasets);
}
