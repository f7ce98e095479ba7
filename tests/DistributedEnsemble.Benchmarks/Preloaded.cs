using System.Text.Json.Nodes;
using DistributedEnsemble.Training.Data;

namespace DistributedEnsemble.Benchmarks;

/// <summary>A dataset that is in memory already, so that loading it is no part of what is measured.</summary>
/// <param name="again">Makes it anew at each load, for runs so far apart that a silo frees it between them; null gives the same one.</param>
internal sealed class Preloaded(IDatasetSource source, Dataset dataset, Func<Dataset>? again = null) : IDatasetSource
{
    public const string DatasetName = "preloaded";

    public string Name => DatasetName;

    public string Description => source.Description;

    public JsonObject Defaults => source.Defaults;

    public Dataset Dataset => dataset;

    public static Preloaded FashionMnist(string? data)
    {
        var source = new FashionMnist();
        return new Preloaded(source, source.Load(new DataFolders(data)));
    }

    public DatasetLocation Locate(DataFolders folders) => DatasetLocation.BuiltIn;

    public Dataset Load(DataFolders folders) => again?.Invoke() ?? dataset;
}
