using DistributedEnsemble.Grains.Security;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Grains.Scheduling;

/// <summary>What a silo may say of itself.</summary>
internal static class SiloReports
{
    private const int MostLanes = 1024, MostDatasets = 10_000, MostNetworks = 10_000, MostTasks = 10_000;

    /// <summary>
    /// Whether the report is what the silo that sent it says of itself. The whole of its address counts: a later process at the
    /// same endpoint has another generation, which may begin with the same digits.
    /// </summary>
    public static bool IsOf(SiloReport report, GrainId? source) =>
        source is { } caller && caller.IsClient() && report.Silo is { Length: > 0 } silo && caller.Key.ToString() == CallsOfSilos.Hosted + silo;

    public static bool IsWellFormed(SiloReport report) =>
        report is { Silo: { } text, Machine: not null, Lanes: >= 0 and <= MostLanes, Datasets: { IsDefault: false, Length: <= MostDatasets }, Uses: { IsDefault: false, Length: <= MostLanes }, Networks: { IsDefault: false, Length: <= MostNetworks }, Tasks: { IsDefault: false, Length: <= MostTasks } }
        && SiloAddress.TryParse(text, null, out var silo) && silo.ToParsableString() == text && report.Endpoint == silo.Endpoint.ToString()
        && report.Datasets.All(dataset => dataset is not null)
        && report.Networks.All(network => network is not null)
        && report.Tasks.All(task => task is not null)
        && report.Uses.All(use => use is { Lanes: >= 1 and <= MostLanes, Attempt: { Member: >= 0, Attempt: >= 0 } });
}
