using System.Collections.Immutable;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Evaluation;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Predictions.EarlyExit;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Predictions;

/// <summary>The models that a prediction averages, in the order in which they are summed, and how often each counts.</summary>
/// <param name="Fit">What the validation split says about them; null without one.</param>
internal sealed record ConstituentSelection(
    ImmutableArray<WeightFile> Constituents, ImmutableArray<int> Multiplicities, int MonteCarloSamples, ValidationFit? Fit)
{
    /// <summary>When rows are asked of fewer members; null asks all of them.</summary>
    public ExitRule? Exit { get; init; }

    /// <summary>All that were chosen, or those of them that the validation split selected.</summary>
    /// <exception cref="SpecException">It is for the validation split to choose, and there is none.</exception>
    public static ConstituentSelection Of(ChosenConstituents chosen, ValidationFit? fit)
    {
        var exit = chosen.EarlyExit == 0 ? null
            : fit?.Exits is { } exits ? exits.RequiredRule(chosen.EarlyExit)
            : throw new SpecException($"early exit is {chosen.EarlyExit}: it is fitted on validation rows that every member may answer, and this run kept none (data.validationFraction). Choose 0, which asks all members.");
        return All(chosen, fit) with { Exit = exit };
    }

    private static ConstituentSelection All(ChosenConstituents chosen, ValidationFit? fit)
    {
        if (!chosen.IsGreedy) return new(chosen.Constituents, [.. chosen.Constituents.Select(_ => 1)], chosen.MonteCarloSamples, fit);
        if (fit is null) throw new SpecException("prediction.select is \"greedy\": it chooses on validation rows, and there are none. Choose all or last:N.");
        var counted = fit.Constituents.Where(fitted => fitted.Multiplicity > 0).ToList();
        return new(
            [.. counted.Select(fitted => fitted.Model)], [.. counted.Select(fitted => fitted.Multiplicity)], chosen.MonteCarloSamples, fit);
    }

    /// <summary>The same without the run's data: what the validation split selected is read from the run's folder.</summary>
    /// <exception cref="SpecException">Nothing was selected yet.</exception>
    public static ConstituentSelection Stored(RunFolder folder, string run, LearningTask task, ChosenConstituents chosen)
    {
        var fit = ValidationFits.Stored(folder, chosen);
        if (fit is { Fit: null } && task.NeedsFit) fit = null;
        if (fit is null && task.NeedsFit)
        {
            throw new SpecException($"training.likelihood is squared-error: the variance of run \"{run}\" is not fitted yet for these models. "
                + $"`ensemble evaluate {run}`, with the same other options, fits it.");
        }

        if (chosen.EarlyExit > 0 && fit is not { Exits: not null })
        {
            throw new SpecException($"early exit is {chosen.EarlyExit}: run \"{run}\" has nothing fitted for it with these models. `ensemble evaluate {run}`, "
                + "with the same other options, fits it on the validation rows.");
        }

        return fit is not null || !chosen.IsGreedy ? Of(chosen, fit) : throw new SpecException(
            $"prediction.select is \"greedy\": no models of run \"{run}\" are selected yet. `ensemble evaluate {run} --select greedy`, "
            + "with the same other options, selects them.");
    }
}
