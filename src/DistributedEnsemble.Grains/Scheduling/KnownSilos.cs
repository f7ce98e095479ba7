using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace DistributedEnsemble.Grains;

/// <summary>What the silos of the cluster said of themselves, for the one scheduler's turns.</summary>
internal sealed class KnownSilos(ISiloStatusOracle membership, TimeProvider time, ILogger log)
{
    private const int MostLanes = 1024, MostDatasets = 10_000;

    /// <summary>A new scheduler waits so long for silos that it has not heard of: the first placement should be an even one.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3), s_silence = TimeSpan.FromSeconds(15);

    private readonly Dictionary<SiloAddress, (SiloReport Report, long At)> _reports = [];
    private readonly long _since = time.GetTimestamp();
    private bool _hasWarned;

    /// <summary>Those that members can be placed on.</summary>
    public IReadOnlyList<SiloReport> Alive =>
    [
        .. _reports.Where(known => time.GetElapsedTime(known.Value.At) < s_silence && membership.GetApproximateSiloStatus(known.Key) == SiloStatus.Active)
            .Select(known => known.Value.Report),
    ];

    /// <summary>Whether all silos that are active have spoken, or have had time to.</summary>
    public bool IsComplete => time.GetElapsedTime(_since) > s_patience
        || membership.GetApproximateSiloStatuses(onlyActive: true).Keys.All(_reports.ContainsKey);

    /// <summary>Whether the report is what the silo that sent it says of itself: silos call grains under an identity of their own.</summary>
    public static bool IsOf(SiloReport report, GrainId? source) =>
        source is { } caller && caller.IsClient() && report.Silo is { Length: > 0 } silo
        && caller.Key.ToString() is { } key && key.Contains(silo, StringComparison.Ordinal);

    /// <returns>False for a report that is none: it is passed over, and the others count.</returns>
    public bool TryHear(SiloReport report)
    {
        if (!IsWellFormed(report, out var silo))
        {
            if (!_hasWarned) log.ReportMalformed();
            _hasWarned = true;
            return false;
        }

        _reports[silo] = (report, time.GetTimestamp());
        foreach (var gone in _reports.Keys.Where(membership.IsDeadSilo).ToList()) _reports.Remove(gone);
        return true;
    }

    /// <summary>It did not take what it was given: until it speaks again it is given nothing.</summary>
    public void Distrust(string silo) => _reports.Remove(SiloAddress.FromParsableString(silo));

    /// <summary>The silo's own report will say so too; until then the lanes count as used.</summary>
    public void Use(string silo, LaneUse use)
    {
        var address = SiloAddress.FromParsableString(silo);
        if (!_reports.TryGetValue(address, out var known) || known.Report.Uses.Any(other => other.Run == use.Run && other.Attempt == use.Attempt)) return;
        _reports[address] = known with { Report = known.Report with { Uses = known.Report.Uses.Add(use) } };
    }

    private static bool IsWellFormed(SiloReport report, out SiloAddress silo)
    {
        silo = SiloAddress.Zero;
        return report is { Silo: { } text, Machine: not null, Lanes: >= 0 and <= MostLanes, Datasets: { IsDefault: false, Length: <= MostDatasets }, Uses: { IsDefault: false, Length: <= MostLanes } }
            && SiloAddress.TryParse(text, null, out silo!) && report.Endpoint == silo.Endpoint.ToString()
            && report.Datasets.All(dataset => dataset is not null)
            && report.Uses.All(use => use is { Lanes: >= 1 and <= MostLanes, Attempt: { Member: >= 0, Attempt: >= 0 } });
    }
}
