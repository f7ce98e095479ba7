using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Predictions.EarlyExit;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Evaluation;

/// <summary>What the validation split says about models that a prediction averages; the test split has no part in it.</summary>
internal sealed record ValidationFit
{
    /// <summary>The models that were to choose from, in the order in which they are summed.</summary>
    public required ImmutableArray<FittedConstituent> Constituents { get; init; }

    public required int MonteCarloSamples { get; init; }

    /// <summary>How the average of those that count is calibrated, as the task says.</summary>
    public Measures? Fit { get; init; }

    /// <summary>How strange the rows' targets are to that average; null in the fits of former programs.</summary>
    public ConformalScores? Conformal { get; init; }

    /// <summary>What asking fewer members would do; null where members answer to different rows, and in the fits of former programs.</summary>
    public ExitCurve? Exits { get; init; }

    /// <summary>Of the average, before and after calibration, on the validation split.</summary>
    public required Measures Ensemble { get; init; }
    public required Measures Calibrated { get; init; }

    /// <summary>Where the model of the lowest validation NLL is among those that count.</summary>
    public int Best(ImmutableArray<WeightFile> constituents) => constituents
        .Select((file, i) => (Constituents.First(fitted => fitted.Model == file).Nll, i)).Min().i;

    /// <summary>
    /// Predicts the rows that measure with every model, selects among them if that was chosen, and fits the calibration. Out of
    /// fold, rows that all chosen models saw are left out.
    /// </summary>
    public static async Task<ValidationFit> OfAsync(TrainingPlan plan, ChosenConstituents chosen, IConstituents models)
    {
        var (answers, targets) = await MeasuredAnswers.OfAsync(plan, chosen, models);
        return Of(plan.Task, chosen, answers, targets);
    }

    /// <summary>Names what the fit depends on: the models by their SHA-256, how they answer, and how they are chosen among.</summary>
    public static string KeyOf(ChosenConstituents chosen) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Join('\n', chosen.Constituents.Select(file => $"{file.Member} {file.Step} {file.Sha256}")
            .Prepend($"{(chosen.IsGreedy ? "greedy" : "all")} {chosen.MonteCarloSamples}")))))[..16];

    private static ValidationFit Of(LearningTask task, ChosenConstituents chosen, double[][] answers, float[] targets)
    {
        var prior = Array.Exists(answers, MeasuredAnswers.HasGaps) ? task.PriorLikelihoods(targets) : null;
        double[][] Likelihoods() => [.. answers.Select(answer => task.Likelihoods(answer, targets))];
        int[] multiplicities = !chosen.IsGreedy ? [.. answers.Select(_ => 1)]
            : prior is null ? GreedySelection.Select(Likelihoods())
            : GreedySelection.SelectInGroups(Likelihoods(), prior);
        int[] counted = [.. Enumerable.Range(0, answers.Length).Where(i => multiplicities[i] > 0)];
        var (rows, known) = MeasuredAnswers.Average([.. counted.Select(i => answers[i])], [.. counted.Select(i => multiplicities[i])], targets, task.Width);
        var fit = task.Fit(rows, known);
        task = task.Fitted(fit);
        return new ValidationFit
        {
            Constituents = [.. chosen.Constituents.Select((file, i) => new FittedConstituent(file, multiplicities[i], Alone(task, answers[i], targets)))],
            MonteCarloSamples = chosen.MonteCarloSamples,
            Fit = fit,
            Exits = prior is null && targets.Length > 0 ? ExitFit.Of(task, [.. counted.Select(i => (chosen.Constituents[i], multiplicities[i], answers[i]))], targets) : null,
            Conformal = ConformalScores.Of(task.Strangeness(rows.Mean, known)),
            Ensemble = Measure(task.Quality(), rows, known),
            Calibrated = Measure(task.Quality(isCalibrated: true), rows, known),
        };
    }

    /// <summary>The NLL of one model on the rows that it may answer to.</summary>
    private static double Alone(LearningTask task, double[] answers, float[] targets)
    {
        var (rows, known) = MeasuredAnswers.Average([answers], [1], targets, task.Width);
        return Measure(task.Quality(), rows, known).Nll;
    }

    private static Measures Measure(IMeasurement measurement, AnswerRows rows, ReadOnlySpan<float> targets)
    {
        measurement.Add(rows, targets);
        return measurement.Result();
    }
}

/// <summary>A model on the validation split.</summary>
/// <param name="Multiplicity">How often it counts in the average; 0 if it was not selected.</param>
/// <param name="Nll">Of the model alone.</param>
internal sealed record FittedConstituent(WeightFile Model, int Multiplicity, double Nll);
