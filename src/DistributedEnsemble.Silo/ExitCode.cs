namespace DistributedEnsemble.Silo;

/// <summary>How the program ends; the driver's codes, and one of its own.</summary>
internal static class ExitCode
{
    public const int Ok = 0;
    public const int Failed = 1;

    /// <summary>Settings that are refused.</summary>
    public const int Usage = 2;
    public const int Unreachable = 3;

    /// <summary>The other silos went on without this one: its supervisor starts it again.</summary>
    public const int Evicted = 4;
}
