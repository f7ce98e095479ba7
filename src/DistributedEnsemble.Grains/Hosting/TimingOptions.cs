namespace DistributedEnsemble.Grains.Hosting;

/// <summary>
/// How long the silos of a cluster wait for each other. Each is a setting, too: <c>ENSEMBLE__TIMING__SILENCE</c> and so on;
/// docs/operations.md lists them. All silos of a cluster have the same.
/// </summary>
public sealed record TimingOptions
{
    /// <summary>Of the cluster's membership: a silo that misses two probes of this length is called dead.</summary>
    public TimeSpan Probe { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A silo that has not reported for so long is given no members.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>A member that is not heard of for so long, from a silo that nobody calls dead, is given to another.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>A coordinator that the store has not confirmed for so long makes sure that it still is the one.</summary>
    public TimeSpan Fence { get; init; } = TimeSpan.FromSeconds(1.5);

    /// <summary>A coordinator that was confirmed within this time shows its run.</summary>
    public TimeSpan Trust { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>A new scheduler waits so long for silos that it has not heard of: the first placement should be an even one.</summary>
    public TimeSpan FirstReports { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>A run that does not answer for longer is passed over: the others' members do not wait for its silo to be called dead.</summary>
    public TimeSpan RunAnswer { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Lanes that are offered count as used for so long at most.</summary>
    public TimeSpan OfferAnswer { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A member that is asked to move may take so long for its checkpoint before another is asked.</summary>
    public TimeSpan Move { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A silo of a cluster that is asked to end lets its members take checkpoints for so long, for others to go on.</summary>
    public TimeSpan HandOver { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A command of the driver waits so long for a store, or a folder, that says nothing. The runs of a silo wait longer.</summary>
    public TimeSpan StoreAnswer { get; init; } = TimeSpan.FromSeconds(15);

    /// <returns>What is wrong with a value, as a line for people; null if nothing is.</returns>
    public string? Fault()
    {
        foreach (var (name, value) in All)
        {
            if (value < TimeSpan.FromMilliseconds(100) || value > TimeSpan.FromHours(1)) return $"{Name(name)} is {value}: it must be a time from 00:00:00.1 to 01:00:00, as in 00:00:05.";
        }

        return Less(nameof(Probe), Probe, nameof(Silence), Silence, "a silo is called dead before it counts as silent")
            ?? Less(nameof(Silence), Silence, nameof(Patience), Patience, "a member is given to a silo that speaks")
            ?? Less(nameof(Fence), Fence, nameof(Trust), Trust, "a coordinator is confirmed before it is doubted");

        static string? Less(string name, TimeSpan value, string other, TimeSpan limit, string why) =>
            value < limit ? null : $"{Name(name)} is {value}: it must be shorter than {Name(other)}, which is {limit}, so that {why}.";
    }

    /// <summary>The environment variable of a time.</summary>
    public static string Name(string time) => $"ENSEMBLE__TIMING__{time.ToUpperInvariant()}";

    private (string Name, TimeSpan Value)[] All =>
    [
        (nameof(Probe), Probe), (nameof(Silence), Silence), (nameof(Patience), Patience), (nameof(Fence), Fence), (nameof(Trust), Trust),
        (nameof(FirstReports), FirstReports), (nameof(RunAnswer), RunAnswer), (nameof(OfferAnswer), OfferAnswer), (nameof(Move), Move),
        (nameof(HandOver), HandOver), (nameof(StoreAnswer), StoreAnswer),
    ];
}
