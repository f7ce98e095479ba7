using System.Collections.Immutable;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Grains.Scheduling;

/// <summary>
/// What a silo said of itself, with the sums that placement asks for again and again: they are made once, when the silo is heard,
/// however many members it trains.
/// </summary>
internal sealed class SiloLanes
{
    private readonly ImmutableDictionary<RunKey, int> _held;

    private SiloLanes(SiloReport report, ImmutableDictionary<RunKey, int> held, int used, int members) =>
        (Report, _held, Used, Members) = (report, held, used, members);

    public SiloReport Report { get; }

    /// <summary>Lanes that train, or are offered.</summary>
    public int Used { get; }

    public int Free => Report.Lanes - Used;

    public double Load => Report.Lanes == 0 ? 0 : (double)Used / Report.Lanes;

    /// <summary>Members on these lanes, those that lanes are offered to included.</summary>
    public int Members { get; }

    /// <summary>The runs that hold lanes here, and how many.</summary>
    public IEnumerable<KeyValuePair<RunKey, int>> Held => _held;

    public static SiloLanes Of(SiloReport report)
    {
        var (held, used) = (ImmutableDictionary.CreateBuilder<RunKey, int>(), 0);
        foreach (var ofRun in report.Uses.GroupBy(use => use.Run))
        {
            var lanes = ofRun.Sum(use => use.Lanes);
            held.Add(ofRun.Key, lanes);
            used += lanes;
        }

        return new SiloLanes(report, held.ToImmutable(), used, report.Uses.Length);
    }

    /// <summary>Lanes that are offered count as used, by members that are not known yet.</summary>
    public SiloLanes With(Offer offer)
    {
        var lanes = offer.Members * offer.Lanes;
        return new SiloLanes(Report, _held.SetItem(offer.Run, HeldBy(offer.Run) + lanes), Used + lanes, Members + offer.Members);
    }

    public int HeldBy(RunKey run) => _held.GetValueOrDefault(run);
}
