namespace DistributedEnsemble.Specs;

/// <summary>When an EMA model begins anew.</summary>
public enum AveragingReset { Never, Cycle }

/// <summary>The EMA model of each member: <c>averaging</c>.</summary>
public sealed record AveragingSpec
{
    [Key("d per step; 1 is the uniform average.", Range = "(0, 1]",
        Rule = "a decay is above 0 and at most 1 (1 is the uniform average)")]
    public double Decay { get; init; } = 0.999;

    [Key("Steps between two hand-overs of the weights.", Range = "[1, 1000000000]")]
    public int EverySteps { get; init; } = 100;

    [Key("Whether the average starts anew with each cycle of the schedule.")]
    public AveragingReset Reset { get; init; } = AveragingReset.Never;
}

/// <summary>The snapshots of each member: <c>snapshots</c>.</summary>
public sealed record SnapshotSpec
{
    [Key("M snapshots of each member at ⌈i·T/M⌉; the last is the final model.", Range = "[1, 10000]")]
    public int PerMember { get; init; } = 5;
}
