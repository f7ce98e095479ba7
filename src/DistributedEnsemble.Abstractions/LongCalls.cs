namespace DistributedEnsemble;

/// <summary>
/// Calls that take as long as their work does, which may be hours, as that of reading data: a silo that dies over it is noticed by
/// the membership and by whoever is connected to it, not by the clock.
/// </summary>
internal static class LongCalls
{
    public const string Limit = "1.00:00:00";
}
