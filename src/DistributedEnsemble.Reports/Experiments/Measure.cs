using System.Runtime.InteropServices;
using DistributedEnsemble.Training;

namespace DistributedEnsemble.Reports;

/// <summary>The quality of a model or average on the test split.</summary>
/// <param name="Error">Share of rows that are wrong.</param>
/// <param name="CalibratedNll">After scaling by the temperature that the validation split says: the fair comparison of likelihoods.</param>
public sealed record Measure(
    double Error, double Nll, double CalibratedNll, double Brier, double Ece, double CalibratedEce, double Temperature)
{
    public static Measure Of(TrainingPlan plan, Answers answers)
    {
        var classes = plan.Task.Outputs;
        var validation = Labels(plan, DataPart.Validation);
        var test = Labels(plan, DataPart.Test);
        var temperature = TemperatureScaling.Fit(answers.Validation, validation);
        var raw = PredictionQuality.Of(answers.Test, test, classes);
        var calibrated = PredictionQuality.Of(TemperatureScaling.Apply(answers.Test, classes, temperature), test, classes);
        return new Measure(1 - raw.Accuracy, raw.Nll, calibrated.Nll, raw.Brier, raw.Ece, calibrated.Ece, temperature);
    }

    /// <summary>The mean of several models, each measured alone.</summary>
    public static Measure Mean(IReadOnlyCollection<Measure> measures) => new(
        measures.Average(m => m.Error), measures.Average(m => m.Nll), measures.Average(m => m.CalibratedNll), measures.Average(m => m.Brier),
        measures.Average(m => m.Ece), measures.Average(m => m.CalibratedEce), measures.Average(m => m.Temperature));

    internal static ReadOnlySpan<float> Labels(TrainingPlan plan, DataPart part) =>
        plan.Samples(part).Targets;
}
