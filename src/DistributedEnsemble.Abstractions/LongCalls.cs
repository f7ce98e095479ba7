namespace DistributedEnsemble;

/// <summary>
/// Calls that take as long as their work does, which may be minutes: a silo that dies over one is noticed by the cluster's
/// membership, not by the clock.
/// </summary>
internal static class LongCalls
{
    public const string Timeout = "1.00:00:00";
}
