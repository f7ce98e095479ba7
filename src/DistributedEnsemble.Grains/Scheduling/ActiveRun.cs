namespace DistributedEnsemble.Grains;

/// <summary>A run that is not known to have ended.</summary>
internal sealed class ActiveRun(RunKey run)
{
    public RunKey Run => run;

    /// <summary>How many it has; 0 before the run was asked.</summary>
    public int Members { get; set; }

    /// <summary>Lanes that each member needs; null before the run was asked.</summary>
    public int? Threads { get; set; }

    /// <summary>The dataset that a silo must have for its members; null if it is a file, which the store has for all of them.</summary>
    public string? Dataset { get; set; }

    /// <summary>Whether a member may be waiting, or the run may have ended: it has to be asked.</summary>
    public bool MayWait { get; set; } = true;

    /// <summary>What it last said of itself; null before.</summary>
    public RunStatus? Status { get; set; }

    /// <summary>The question that it was last asked, which may take as long as its silo needs to be called dead.</summary>
    public Task Question { get; set; } = Task.CompletedTask;

    public int Waiting => Status is { State: RunState.Running } status ? status.Members.Count(member => member.State == MemberState.Waiting) : 0;

    public bool CanTrainOn(SiloReport silo) => Dataset is null || silo.Datasets.Contains(Dataset);

    /// <summary>Members of the run that a silo trains or has trained.</summary>
    public int MembersOn(SiloReport silo) =>
        Status!.Members.Count(member => member.State != MemberState.Waiting && member.Silo == silo.Endpoint);
}
