using System.Reflection;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Grains.Security;

/// <summary>
/// What <see cref="SilosOnlyAttribute"/> says: a client could else name files for a run's weights, give a member up, or begin a run
/// past all limits.
/// </summary>
internal static class CallsOfSilos
{
    /// <summary>The runtime's word for the identity under which a silo's own services call grains.</summary>
    public const string Hosted = "hosted-";

    /// <exception cref="RunRejectedException">A client calls what only silos may.</exception>
    public static void Check(IIncomingGrainCallContext call)
    {
        if (!IsOfSilo(call.SourceId) && call.InterfaceMethod.IsDefined(typeof(SilosOnlyAttribute), inherit: false))
            throw new RunRejectedException($"{call.InterfaceMethod.DeclaringType!.Name}.{call.InterfaceMethod.Name} is for silos alone.");
    }

    internal static bool IsOfSilo(GrainId? source) =>
        source is { } caller && (!caller.IsClient() || caller.Key.ToString()!.StartsWith(Hosted, StringComparison.Ordinal));
}
