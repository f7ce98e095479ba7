using System.Collections.Immutable;
using System.Globalization;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Training.Predictions;

/// <summary>The models that a prediction may average, in the order in which they are summed: by member, then step.</summary>
/// <param name="MonteCarloSamples">Dropout masks averaged per model; 0 is weight scaling.</param>
/// <param name="IsGreedy">Whether the validation split still says which of them count, and how often.</param>
internal sealed record ChosenConstituents(ImmutableArray<WeightFile> Constituents, int MonteCarloSamples, bool IsGreedy)
{
    /// <summary>How likely a row's prediction may be another one than that of all members; 0 asks all of them.</summary>
    public double EarlyExit { get; init; }

    /// <param name="choice">What differs from the spec's prediction.</param>
    /// <exception cref="SpecException">Nothing fits the choice.</exception>
    public static ChosenConstituents Of(RunStatus status, TrainingPlan plan, ConstituentChoice? choice) =>
        Of(status, plan.Spec, plan.Networks, choice);

    /// <summary>The same without the run's data.</summary>
    /// <inheritdoc cref="Of(RunStatus, TrainingPlan, ConstituentChoice)"/>
    public static ChosenConstituents Of(RunStatus status, EnsembleSpec spec, MemberNetworks networks, ConstituentChoice? choice)
    {
        var prediction = spec.Prediction;
        var from = choice?.From ?? prediction.From;
        var select = choice?.Select ?? prediction.Select;
        var samples = choice?.MonteCarloSamples ?? prediction.MonteCarloSamples;
        Check(status, spec, networks, from, select, samples);

        var perMember = MostPerMember(select) ?? throw new SpecException(
            $"prediction.select is \"{select}\": it must be all, greedy, or last:N with N from 1 to 999999.");
        var members = choice?.Members ?? status.Members.Length;
        if (members < 1 || members > status.Members.Length)
        {
            throw new SpecException($"members is {members}: run \"{status.Run}\" has 1 to {status.Members.Length}.");
        }

        // A member that failed has no model, whatever it handed over before.
        var usable = status.Members.Where(m => m.Index < members && m.State != MemberState.Failed).Select(m => m.Index).ToHashSet();
        var candidates = from == PredictionSource.Ema ? status.Ema : status.Snapshots;
        var chosen = candidates
            .Where(file => usable.Contains(file.Member) && (from != PredictionSource.Final || file.Step == status.Members[file.Member].FinalStep))
            .GroupBy(file => file.Member).OrderBy(group => group.Key)
            .SelectMany(group => group.OrderBy(file => file.Step).TakeLast(perMember))
            .ToImmutableArray();
        return chosen.IsEmpty
            ? throw new SpecException($"Run \"{status.Run}\" has no models yet from \"{Name(from)}\": it is {Name(status.State)}.")
            : new ChosenConstituents(chosen, samples, select == Greedy) { EarlyExit = choice?.EarlyExit ?? 0 };
    }

    private static void Check(
        RunStatus status, EnsembleSpec spec, MemberNetworks networks, PredictionSource from, string select, int samples)
    {
        if (samples > 0 && !networks.HasDropout)
        {
            throw new SpecException($"prediction.monteCarloSamples is {samples}: this run's network has no dropout to sample. Choose 0.");
        }

        if (from == PredictionSource.Ema && spec.Averaging is null)
        {
            throw new SpecException(
                $"prediction.from is ema: run \"{status.Run}\" kept no EMA models, its averaging was off. Choose final or snapshots.");
        }

        if (select == Greedy && spec.Data.ValidationFraction == 0 && !spec.Data.HasOutOfFold)
        {
            throw new SpecException(
                $"prediction.select is \"greedy\": it chooses on validation rows, and run \"{status.Run}\" kept none. Choose all or last:N.");
        }
    }

    /// <summary>How many models of one member a selection keeps at most; null for what is no selection.</summary>
    public static int? MostPerMember(string select) => select switch
    {
        "all" or Greedy => int.MaxValue,
        _ when select.StartsWith("last:", StringComparison.Ordinal)
            && int.TryParse(select.AsSpan("last:".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n is > 0 and < 1_000_000 => n,
        _ => null,
    };

    private static string Name<T>(T value) where T : Enum => value.ToString().ToLowerInvariant();

    private const string Greedy = "greedy";
}
