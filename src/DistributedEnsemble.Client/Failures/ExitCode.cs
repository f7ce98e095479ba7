namespace DistributedEnsemble.Client.Failures;

internal static class ExitCode
{
    public const int Ok = 0;
    public const int Failed = 1;

    /// <summary>Wrong usage, spec or data; an unknown run or file.</summary>
    public const int Usage = 2;
    public const int Unreachable = 3;
}
