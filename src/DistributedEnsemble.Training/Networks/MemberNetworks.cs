using System.Collections.Concurrent;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Randomness;

namespace DistributedEnsemble.Training.Networks;

/// <summary>The networks of a run's members: members of one variant that are given the same features have one. Used by many threads.</summary>
public sealed class MemberNetworks
{
    private readonly EnsembleSpec _run;
    private readonly NetworkInputs _inputs;
    private readonly int _outputs;
    private readonly NetworkRegistry _registry;
    private readonly RandomSource _random;
    private readonly EnsembleSpec[] _specs;
    private readonly ConcurrentDictionary<(int Variant, int Member), Lazy<Network>> _networks = [];

    /// <param name="spec">The run's.</param>
    /// <param name="outputs">Numbers that each network gives for a row.</param>
    /// <param name="random">The run's.</param>
    /// <exception cref="SpecException">A variant does not go together with the run's spec.</exception>
    public MemberNetworks(EnsembleSpec spec, NetworkInputs inputs, int outputs, NetworkRegistry registry, RandomSource random)
    {
        (_run, _inputs, _outputs, _registry, _random) = (spec, inputs, outputs, registry, random);
        _specs = [.. Enumerable.Range(0, Math.Max(1, spec.Variants.Count)).Select(spec.OfMember)];
    }

    /// <summary>One member of each variant.</summary>
    public IEnumerable<int> Variants => Enumerable.Range(0, Math.Min(_specs.Length, _run.Members));

    /// <summary>Whether any member's network has dropout.</summary>
    public bool HasDropout => Variants.Any(member => Of(member).HasDropout);

    /// <summary>Kernels of our own if all members' networks run on them.</summary>
    public KernelKind Kernels => Variants.Any(member => Of(member).Kernels == KernelKind.Libtorch) ? KernelKind.Libtorch : KernelKind.Own;

    /// <summary>Why the run cannot be repeated bit by bit; null if it can.</summary>
    public string? Inexact => Variants.Select(member => Of(member).Inexact).FirstOrDefault(reason => reason is not null);

    /// <inheritdoc cref="EnsembleSpec.OfMember"/>
    public EnsembleSpec SpecOf(int member) => _specs[member % _specs.Length];

    /// <exception cref="SpecException">The kind is unknown, or does not fit the data.</exception>
    public Network Of(int member)
    {
        var spec = SpecOf(member);
        var key = (member % _specs.Length, spec.Data.Columns < 1 ? member : 0);
        // Asked for in every step: only the first time makes something.
        return (_networks.TryGetValue(key, out var known) ? known : Added(key, spec, member)).Value;
    }

    private Lazy<Network> Added((int, int) key, EnsembleSpec spec, int member) => _networks.GetOrAdd(key, _ => new Lazy<Network>(() => Build(spec, member)));

    private Network Build(EnsembleSpec spec, int member)
    {
        try
        {
            return _registry.Build(spec, spec.Data.Columns < 1 ? _inputs.Share(spec.Data.Columns, _random, member) : _inputs, _outputs);
        }
        catch (SpecException error)
        {
            throw _run.ErrorOf(member, error);
        }
    }
}
