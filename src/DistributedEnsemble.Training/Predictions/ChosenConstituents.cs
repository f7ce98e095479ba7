using System.Collections.Immutable;

namespace DistributedEnsemble.Training;

/// <summary>The models that take part in a prediction, in the order in which they are summed: by member, then step.</summary>
public sealed record ChosenConstituents(ImmutableArray<WeightFile> Constituents, int MonteCarloSamples)
{
    /// <param name="choice">What differs from the spec's prediction.</param>
    /// <exception cref="SpecException">Nothing fits the choice.</exception>
    public static ChosenConstituents Of(RunStatus status, TrainingPlan plan, ConstituentChoice? choice) =>
        Of(status, plan.Spec, plan.Network, choice);

    /// <summary>The same without the run's data.</summary>
    /// <inheritdoc cref="Of(RunStatus, TrainingPlan, ConstituentChoice)"/>
    public static ChosenConstituents Of(RunStatus status, EnsembleSpec spec, Network network, ConstituentChoice? choice)
    {
        var prediction = spec.Prediction;
        var from = choice?.From ?? prediction.From;
        var select = choice?.Select ?? prediction.Select;
        var samples = choice?.MonteCarloSamples ?? prediction.MonteCarloSamples;
        if (samples > 0 && !network.HasDropout)
        {
            throw new SpecException($"prediction.monteCarloSamples is {samples}: this run's network has no dropout to sample. Choose 0.");
        }

        var members = choice?.Members ?? status.Members.Length;
        if (members < 1 || members > status.Members.Length)
        {
            throw new SpecException($"--members is {members}: run \"{status.Run}\" has 1 to {status.Members.Length}.");
        }

        var steps = status.StepsTotal / status.Members.Length;
        // A member that failed has no model, whatever it handed over before.
        var usable = status.Members.Where(m => m.Index < members && m.State != MemberState.Failed).Select(m => m.Index).ToHashSet();
        var candidates = from == PredictionSource.Ema ? status.Ema : status.Snapshots;
        var chosen = candidates
            .Where(file => usable.Contains(file.Member) && (from != PredictionSource.Final || file.Step == steps))
            .GroupBy(file => file.Member).OrderBy(group => group.Key)
            .SelectMany(group => Last(group.OrderBy(file => file.Step).ToList(), select))
            .ToImmutableArray();
        return chosen.IsEmpty
            ? throw new SpecException($"Run \"{status.Run}\" has no models yet from \"{Name(from)}\": it is {Name(status.State)}.")
            : new ChosenConstituents(chosen, samples);
    }

    private static IEnumerable<WeightFile> Last(List<WeightFile> files, string select) => select switch
    {
        "all" => files,
        _ when select.StartsWith("last:", StringComparison.Ordinal) && int.TryParse(select["last:".Length..], out var n) && n > 0 =>
            files.TakeLast(n),
        _ => throw new SpecException($"prediction.select is \"{select}\": choose all or last:N."),
    };

    private static string Name<T>(T value) where T : Enum => value.ToString().ToLowerInvariant();
}
