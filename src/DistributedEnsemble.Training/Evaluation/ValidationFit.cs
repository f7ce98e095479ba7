using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training;

/// <summary>What the validation split says about models that a prediction averages; the test split has no part in it.</summary>
public sealed record ValidationFit
{
    /// <summary>The models that were to choose from, in the order in which they are summed.</summary>
    public required ImmutableArray<FittedConstituent> Constituents { get; init; }

    public required int MonteCarloSamples { get; init; }

    /// <summary>How the average of those that count is calibrated, as the task says.</summary>
    public Measures? Fit { get; init; }

    /// <summary>How strange the rows' targets are to that average; null in the fits of former programs.</summary>
    public ConformalScores? Conformal { get; init; }

    /// <summary>Of the average, before and after calibration, on the validation split.</summary>
    public required Measures Ensemble { get; init; }
    public required Measures Calibrated { get; init; }

    /// <summary>Where the model of the lowest validation NLL is among those that count.</summary>
    public int Best(ImmutableArray<WeightFile> constituents) => constituents
        .Select((file, i) => (Constituents.First(fitted => fitted.Model == file).Nll, i)).Min().i;

    /// <summary>Predicts the validation split with every model, selects among them if that was chosen, and fits the calibration.</summary>
    public static async Task<ValidationFit> OfAsync(TrainingPlan plan, ChosenConstituents chosen, IConstituents models)
    {
        var targets = plan.Samples(DataPart.Validation).Targets;
        var answers = chosen.Constituents.Select(_ => new double[targets.Length * plan.Task.Width]).ToArray();
        foreach (var rows in RowRange.Of(plan, DataPart.Validation))
        {
            var part = await models.PredictAsync(chosen.Constituents, chosen.MonteCarloSamples, rows);
            for (var i = 0; i < answers.Length; i++) part.Values[i].CopyTo(answers[i], rows.Start * plan.Task.Width);
        }

        return Of(plan.Task, chosen, answers, targets);
    }

    /// <summary>Names what the fit depends on: the models by their SHA-256, how they answer, and how they are chosen among.</summary>
    public static string KeyOf(ChosenConstituents chosen) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Join('\n', chosen.Constituents.Select(file => $"{file.Member} {file.Step} {file.Sha256}")
            .Prepend($"{(chosen.IsGreedy ? "greedy" : "all")} {chosen.MonteCarloSamples}")))))[..16];

    private static ValidationFit Of(LearningTask task, ChosenConstituents chosen, double[][] answers, float[] targets)
    {
        int[] multiplicities = chosen.IsGreedy
            ? GreedySelection.Select([.. answers.Select(answer => task.Likelihoods(answer, targets))])
            : [.. answers.Select(_ => 1)];
        int[] counted = [.. Enumerable.Range(0, answers.Length).Where(i => multiplicities[i] > 0)];
        var rows = AnswerRows.Of([.. counted.Select(i => (ReadOnlyMemory<double>)answers[i])], [.. counted.Select(i => multiplicities[i])]);
        var fit = task.Fit(rows, targets);
        task = task.Fitted(fit);
        return new ValidationFit
        {
            Constituents = [.. chosen.Constituents.Select((file, i) =>
                new FittedConstituent(file, multiplicities[i], Measure(task.Quality(), AnswerRows.Of(answers[i]), targets).Nll))],
            MonteCarloSamples = chosen.MonteCarloSamples,
            Fit = fit,
            Conformal = ConformalScores.Of(task.Strangeness(rows.Mean, targets)),
            Ensemble = Measure(task.Quality(), rows, targets),
            Calibrated = Measure(task.Quality(isCalibrated: true), rows, targets),
        };
    }

    private static Measures Measure(IMeasurement measurement, AnswerRows rows, float[] targets)
    {
        measurement.Add(rows, targets);
        return measurement.Result();
    }
}

/// <summary>A model on the validation split.</summary>
/// <param name="Multiplicity">How often it counts in the average; 0 if it was not selected.</param>
/// <param name="Nll">Of the model alone.</param>
public sealed record FittedConstituent(WeightFile Model, int Multiplicity, double Nll);
