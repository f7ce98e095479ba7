namespace DistributedEnsemble;

/// <summary>
/// Time limits of calls that take as long as their work does, which may be hours: a silo that dies over it is noticed by the
/// membership and by whoever is connected to it, not by the clock.
/// </summary>
internal static class LongCalls
{
    /// <summary>Reading data, however large.</summary>
    public const string Loading = "1.00:00:00";

    public const string Predicting = "1.00:00:00";
}
