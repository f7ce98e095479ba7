using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace DistributedEnsemble.Training;

/// <summary>What the validation split says about models that a prediction averages; the test split has no part in it.</summary>
public sealed record ValidationFit
{
    /// <summary>The models that were to choose from, in the order in which they are summed.</summary>
    public required ImmutableArray<FittedConstituent> Constituents { get; init; }

    public required int MonteCarloSamples { get; init; }

    /// <summary>Of the average of those that count, for p ∝ p̄^(1/T).</summary>
    public required double Temperature { get; init; }

    /// <summary>Of the average, before and after scaling, on the validation split.</summary>
    public required PredictionMetrics Ensemble { get; init; }
    public required PredictionMetrics Calibrated { get; init; }

    /// <summary>Where the model of the lowest validation NLL is among those that count.</summary>
    public int Best(ImmutableArray<WeightFile> constituents) => constituents
        .Select((file, i) => (Constituents.First(fitted => fitted.Model == file).Nll, i)).Min().i;

    /// <summary>Predicts the validation split with every model, selects among them if that was chosen, and fits the temperature.</summary>
    public static async Task<ValidationFit> OfAsync(TrainingPlan plan, ChosenConstituents chosen, IConstituents models)
    {
        var labels = plan.Samples(DataPart.Validation).Targets;
        var classes = plan.Task.Outputs;
        var answers = chosen.Constituents.Select(_ => new float[labels.Length * classes]).ToArray();
        foreach (var rows in RowRange.Of(plan, DataPart.Validation))
        {
            var part = await models.PredictAsync(chosen.Constituents, chosen.MonteCarloSamples, rows);
            for (var i = 0; i < answers.Length; i++) part.Values[i].CopyTo(answers[i], rows.Start * classes);
        }

        return Of(chosen, answers, labels, classes);
    }

    /// <summary>Names what the fit depends on: the models by their SHA-256, how they answer, and how they are chosen among.</summary>
    public static string KeyOf(ChosenConstituents chosen) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Join('\n', chosen.Constituents.Select(file => $"{file.Member} {file.Step} {file.Sha256}")
            .Prepend($"{(chosen.IsGreedy ? "greedy" : "all")} {chosen.MonteCarloSamples}")))))[..16];

    private static ValidationFit Of(ChosenConstituents chosen, float[][] answers, float[] labels, int classes)
    {
        int[] multiplicities = chosen.IsGreedy
            ? GreedySelection.Select([.. answers.Select(answer => labels.Select((label, row) => answer[row * classes + (int)label]).ToArray())])
            : [.. answers.Select(_ => 1)];
        var mean = new ProbabilityMean();
        for (var i = 0; i < answers.Length; i++)
        {
            if (multiplicities[i] > 0) mean.Add(answers[i], multiplicities[i]);
        }

        var ensemble = mean.ToArray();
        var temperature = TemperatureScaling.Fit(ensemble, labels);
        return new ValidationFit
        {
            Constituents = [.. chosen.Constituents.Select((file, i) =>
                new FittedConstituent(file, multiplicities[i], PredictionQuality.Of(answers[i], labels, classes).Nll))],
            MonteCarloSamples = chosen.MonteCarloSamples,
            Temperature = temperature,
            Ensemble = PredictionQuality.Of(ensemble, labels, classes),
            Calibrated = PredictionQuality.Of(TemperatureScaling.Apply(ensemble, classes, temperature), labels, classes),
        };
    }
}

/// <summary>A model on the validation split.</summary>
/// <param name="Multiplicity">How often it counts in the average; 0 if it was not selected.</param>
/// <param name="Nll">Of the model alone.</param>
public sealed record FittedConstituent(WeightFile Model, int Multiplicity, double Nll);
