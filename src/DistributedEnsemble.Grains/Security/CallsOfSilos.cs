using System.Collections.Concurrent;
using System.Reflection;
using System.Text;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Grains.Security;

/// <summary>
/// Holds what <see cref="SilosOnlyAttribute"/> says, of whatever grain: a client could else name files for a run's weights, give a
/// member up, or begin a run past all limits.
/// </summary>
internal sealed class CallsOfSilos : IIncomingGrainCallFilter
{
    /// <summary>The runtime's word for the identity under which a silo's own services call grains.</summary>
    public const string Hosted = "hosted-";

    private static readonly byte[] s_hosted = Encoding.ASCII.GetBytes(Hosted);

    /// <summary>Methods that clients have called: attributes are looked up once for each.</summary>
    private readonly ConcurrentDictionary<MethodInfo, bool> _forSilos = [];

    /// <exception cref="RunRejectedException">A client calls what only silos may.</exception>
    public Task Invoke(IIncomingGrainCallContext context)
    {
        if (!IsOfSilo(context.SourceId) && _forSilos.GetOrAdd(context.InterfaceMethod, static method => method.IsDefined(typeof(SilosOnlyAttribute), inherit: false)))
            throw new RunRejectedException($"{context.InterfaceMethod.DeclaringType!.Name}.{context.InterfaceMethod.Name} is for silos alone.");

        return context.Invoke();
    }

    internal static bool IsOfSilo(GrainId? source) => source is { } caller && (!caller.IsClient() || caller.Key.AsSpan().StartsWith(s_hosted));
}
