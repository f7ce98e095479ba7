using System.Security.Cryptography;
using System.Text;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Grains.Plans;

/// <summary>What a run is made of, as its record has it.</summary>
/// <param name="Sha256">Of the definition: what is made from it is known by the run and by this.</param>
internal sealed record KnownRun(RunKey Key, RunDefinition Definition, string Sha256)
{
    public static KnownRun Of(RunKey key, RunDefinition definition)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{definition.Spec.Length}\n{definition.Spec}"));
        hash.AppendData(Encoding.UTF8.GetBytes(definition.Data));
        return new KnownRun(key, definition, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }
}

/// <summary>
/// The definitions of the runs that this silo has to do with, asked of their coordinators: what another caller sends would decide
/// what everybody is answered.
/// </summary>
internal sealed class RunDefinitions(IGrainFactory grains)
{
    private const int Remembered = 64;

    private readonly RecentlyUsed<RunKey, KnownRun> _known = new(Remembered);

    /// <exception cref="RunRejectedException">There is no such run.</exception>
    public async ValueTask<KnownRun> OfAsync(RunKey run) => _known.TryGet(run, out var known)
        ? known
        : _known.Add(run, KnownRun.Of(run, await grains.GetGrain<ICoordinator>(run.ToString()).GetDefinitionAsync()));
}
