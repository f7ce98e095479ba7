namespace DistributedEnsemble.Client.Failures;

internal static class ExitCode
{
    public const int Ok = 0;
    public const int Failed = 1;

    /// <summary>Wrong usage, spec or data; an unknown run or file.</summary>
    public const int Usage = 2;
    public const int Unreachable = 3;

    /// <summary>128 and the signal's number, as shells have it.</summary>
    public const int HungUp = 129;
    public const int Interrupted = 130;
    public const int Terminated = 143;
}
