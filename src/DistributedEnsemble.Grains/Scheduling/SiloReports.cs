using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Grains.Scheduling;

/// <summary>What a silo may say of itself.</summary>
internal static class SiloReports
{
    private const int MostLanes = 1024, MostDatasets = 10_000, MostNetworks = 10_000;

    /// <summary>Whether the report is what the silo that sent it says of itself: silos call grains under an identity of their own.</summary>
    public static bool IsOf(SiloReport report, GrainId? source) =>
        source is { } caller && caller.IsClient() && report.Silo is { Length: > 0 } silo
        && caller.Key.ToString() is { } key && key.Contains(silo, StringComparison.Ordinal);

    public static bool IsWellFormed(SiloReport report) =>
        report is { Silo: { } text, Machine: not null, Lanes: >= 0 and <= MostLanes, Datasets: { IsDefault: false, Length: <= MostDatasets }, Uses: { IsDefault: false, Length: <= MostLanes }, Networks: { IsDefault: false, Length: <= MostNetworks } }
        && SiloAddress.TryParse(text, null, out var silo) && silo.ToParsableString() == text && report.Endpoint == silo.Endpoint.ToString()
        && report.Datasets.All(dataset => dataset is not null)
        && report.Networks.All(network => network is not null)
        && report.Uses.All(use => use is { Lanes: >= 1 and <= MostLanes, Attempt: { Member: >= 0, Attempt: >= 0 } });
}
