using System.Collections.Immutable;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Grains.Scheduling;

/// <summary>A run that is not known to have ended.</summary>
internal sealed record ActiveRun(RunKey Run)
{
    /// <summary>How many members it has; 0 before the run was asked.</summary>
    public int Members { get; init; }

    /// <summary>Lanes that each member needs; null before the run was asked.</summary>
    public int? Threads { get; init; }

    /// <summary>Its weight where lanes are shared.</summary>
    public int Priority { get; init; } = 1;

    /// <summary>The dataset that a silo must have for its members; null if it is a file, which the store has for all of them.</summary>
    public string? Dataset { get; init; }

    /// <summary>The kinds of network that a silo must have for its members; empty before the run was asked.</summary>
    public ImmutableArray<string> Networks { get; init; } = [];

    /// <summary>The task that a silo must know for its members; null before the run was asked.</summary>
    public string? Task { get; init; }

    /// <summary>The silos of which it was said that they lack one of its networks, or its task.</summary>
    public ImmutableArray<string> Lacking { get; init; } = [];

    /// <summary>Whether a member may be waiting, or the run may have ended: it has to be asked.</summary>
    public bool MayWait { get; init; } = true;

    /// <summary>What it last said of itself; null before, and while it is silent.</summary>
    public RunLoad? Status { get; init; }

    /// <summary>How often it was asked in a row without an answer.</summary>
    public int Silences { get; init; }

    /// <summary>When it last did not answer.</summary>
    public TimeSpan SilentAt { get; init; }

    /// <summary>Whether it is asked again when some time has passed: one that has been silent for long, now and then.</summary>
    public bool IsAskedAt(TimeSpan now) => Silences < MostSilences || now - SilentAt >= s_betweenQuestions;

    /// <summary>Whether it may still say how it is, for which others wait: one whose record is damaged never will.</summary>
    public bool IsAwaited => Status is null && Silences < MostSilences;

    private const int MostSilences = 10;

    private static readonly TimeSpan s_betweenQuestions = TimeSpan.FromSeconds(10);

    /// <summary>When it was asked the question that it has not answered yet, which may take as long as its silo needs to be called dead.</summary>
    public TimeSpan? AskedAt { get; init; }

    /// <summary>The silos whose lanes are offered to its members, and for how many: one for each offer that is not answered yet.</summary>
    public ImmutableArray<(string Silo, int Members)> Offered { get; init; } = [];

    /// <summary>The number of the offer that it was made last; 0 before the first. Of runs that hold as many lanes for their priority, the one that was given none for longest is next.</summary>
    public long LastOffer { get; init; }

    /// <summary>Silos that did not take a member: they are suspected if the run still has members that wait.</summary>
    public ImmutableArray<string> Refusing { get; init; } = [];

    /// <summary>Whether it is to be trained, as far as is known: it has not ended, and is not paused.</summary>
    public bool IsUnfinished => Status is null or { State: RunState.Queued or RunState.Running };

    public int Waiting => Status is { State: RunState.Running } status ? Math.Max(0, status.Waiting - (Offered.IsEmpty ? 0 : Offered.Sum(offer => offer.Members))) : 0;

    public bool CanTrainOn(SiloReport silo) => (Dataset is null || silo.Datasets.Contains(Dataset)) && WhatLacks(silo) is null;

    /// <summary>What the host of a silo has not added; null where nothing lacks.</summary>
    public string? WhatLacks(SiloReport silo)
    {
        foreach (var network in Networks) if (!silo.Networks.Contains(network)) return $"network \"{network}\"";
        return Task is not null && !silo.Tasks.Contains(Task) ? $"task \"{Task}\"" : null;
    }

    /// <summary>Members of the run that each silo trains or has trained, by the silo's endpoint.</summary>
    public Dictionary<string, int> MembersBySilo()
    {
        var members = new Dictionary<string, int>();
        foreach (var (silo, there) in Status!.Silos) members[silo] = there;
        return members;
    }

    /// <summary>Members that a silo is offered.</summary>
    public int OfferedOn(SiloReport silo) => Offered.IsEmpty ? 0 : Offered.Where(offer => offer.Silo == silo.Silo).Sum(offer => offer.Members);
}
