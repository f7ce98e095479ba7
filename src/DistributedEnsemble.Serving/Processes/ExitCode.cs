namespace DistributedEnsemble.Serving.Processes;

/// <summary>How the driver and the silo end.</summary>
public static class ExitCode
{
    public const int Ok = 0;
    public const int Failed = 1;

    /// <summary>Wrong usage, settings, spec or data; an unknown run or file.</summary>
    public const int Usage = 2;
    public const int Unreachable = 3;

    /// <summary>Of a silo: the others went on without it, and its supervisor starts it again.</summary>
    public const int Evicted = 4;
}
