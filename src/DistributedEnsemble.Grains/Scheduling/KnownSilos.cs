using Orleans.Runtime;

namespace DistributedEnsemble.Grains;

/// <summary>What the silos of the cluster said of themselves, for the one scheduler's turns.</summary>
internal sealed class KnownSilos(ISiloStatusOracle membership, TimeProvider time)
{
    /// <summary>A new scheduler waits so long for silos that it has not heard of: the first placement should be an even one.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3), s_silence = TimeSpan.FromSeconds(15);

    private readonly Dictionary<string, (SiloReport Report, long At)> _reports = [];
    private readonly long _since = time.GetTimestamp();

    /// <summary>Those that members can be placed on.</summary>
    public IReadOnlyList<SiloReport> Alive =>
        [.. _reports.Values.Where(known => time.GetElapsedTime(known.At) < s_silence).Select(known => known.Report).Where(IsActive)];

    /// <summary>Whether all silos that are active have spoken, or have had time to.</summary>
    public bool IsComplete => time.GetElapsedTime(_since) > s_patience
        || membership.GetApproximateSiloStatuses(onlyActive: true).Keys.All(silo => _reports.ContainsKey(silo.ToParsableString()));

    public void Hear(SiloReport report)
    {
        _reports[report.Silo] = (report, time.GetTimestamp());
        foreach (var gone in _reports.Keys.Where(silo => membership.IsDeadSilo(SiloAddress.FromParsableString(silo))).ToList()) _reports.Remove(gone);
    }

    /// <summary>It did not take what it was given: until it speaks again it is given nothing.</summary>
    public void Distrust(string silo) => _reports.Remove(silo);

    /// <summary>The silo's own report will say so too; until then the lanes count as used.</summary>
    public void Use(string silo, LaneUse use)
    {
        if (!_reports.TryGetValue(silo, out var known) || known.Report.Uses.Any(other => other.Run == use.Run && other.Attempt == use.Attempt)) return;
        _reports[silo] = known with { Report = known.Report with { Uses = known.Report.Uses.Add(use) } };
    }

    private bool IsActive(SiloReport report) =>
        membership.GetApproximateSiloStatus(SiloAddress.FromParsableString(report.Silo)) == SiloStatus.Active;
}
