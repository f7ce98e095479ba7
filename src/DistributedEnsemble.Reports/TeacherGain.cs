using DistributedEnsemble.Predictions;

namespace DistributedEnsemble.Reports;

/// <summary>What a student has of the gain of its teacher over the teacher's mean member.</summary>
public static class TeacherGain
{
    /// <summary>1 is all of it, below 0 is worse than a member; null where the measure is not known of all, or the teacher gains nothing.</summary>
    public static double? Kept(EvaluationReport student, string measure) => (student.Teacher?.Single.Find(measure), student.Teacher?.Ensemble.Find(measure), student.Ensemble.Find(measure)) is
        ({ } single, { } all, { } own) && single != all ? (own - single) / (all - single) : null;
}
