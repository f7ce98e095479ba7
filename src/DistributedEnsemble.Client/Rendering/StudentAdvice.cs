using DistributedEnsemble.Predictions;
using DistributedEnsemble.Reports;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Client.Rendering;

/// <summary>What a student that keeps less than half of its teacher's gain may need.</summary>
internal static class StudentAdvice
{
    private const double Half = 0.5;

    /// <returns>Null of a run without a teacher, of a teacher that gains nothing, and of a student that keeps more.</returns>
    public static string? Of(EvaluationReport report, EnsembleSpec student) =>
        TeacherGain.Kept(report, "nll") is not < Half || !(report.Teacher?.Ensemble.Find("nll") < report.Teacher?.Single.Find("nll")) ? null
        : $"the student keeps less than half of its teacher's gain in NLL. A larger network may keep more{(student.Members == 1 ? ", for still one forward" : "")}"
            + (student.Model.Hidden is { Count: > 0 } hidden ? $": --set 'model.hidden=[{string.Join(',', hidden.Select(units => 2L * units))}]' has twice the units." : ".");
}
