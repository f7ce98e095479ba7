using DistributedEnsemble.Predictions;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Reports.Experiments;

/// <summary>The quality of a model or average on the test split.</summary>
/// <param name="Error">Share of rows that are wrong.</param>
/// <param name="CalibratedNll">After scaling by the temperature that the validation split says: the fair comparison of likelihoods.</param>
public sealed record Measure(
    double Error, double Nll, double CalibratedNll, double Brier, double Ece, double CalibratedEce, double Temperature)
{
    public static Measure Of(TrainingPlan plan, Answers answers)
    {
        var task = (Classification)plan.Task;
        var fit = task.Fit(AnswerRows.Of(answers.Validation), plan.Samples(DataPart.Validation).Targets);
        var targets = plan.Samples(DataPart.Test).Targets;
        var raw = ClassificationQuality.Of(task, answers.Test, targets);
        var calibrated = ClassificationQuality.Of((Classification)task.Fitted(fit), answers.Test, targets, isCalibrated: true);
        return new Measure(1 - raw["accuracy"], raw.Nll, calibrated.Nll, raw["brier"], raw["ece"], calibrated["ece"], fit["temperature"]);
    }

    /// <summary>The mean of several models, each measured alone.</summary>
    public static Measure Mean(IReadOnlyCollection<Measure> measures) => new(
        measures.Average(m => m.Error), measures.Average(m => m.Nll), measures.Average(m => m.CalibratedNll), measures.Average(m => m.Brier),
        measures.Average(m => m.Ece), measures.Average(m => m.CalibratedEce), measures.Average(m => m.Temperature));
}
