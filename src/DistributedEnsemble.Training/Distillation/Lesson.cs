using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Training.Distillation;

/// <summary>What a student learns of its teacher, and the spec that names by hashes what it was made of.</summary>
internal sealed record Lesson(EnsembleSpec Spec, SoftTargets Targets)
{
    /// <summary>Asks the teacher; takes as long as predicting all rows that the student learns from.</summary>
    /// <param name="runs">Has all runs.</param>
    /// <param name="find">The path on this machine of the table of further rows that a spec names.</param>
    /// <exception cref="SpecException">The run is no teacher of that student.</exception>
    /// <exception cref="DataException">The teacher or the further rows are others than the spec says, or cannot be read.</exception>
    public static Lesson Of(RunStorage runs, EnsembleSpec student, Dataset dataset, NetworkRegistry networks, Func<string, string> find)
    {
        var distillation = student.Distillation!;
        var teacher = Teacher.Open(runs, student, dataset, networks);
        teacher.RequireUnchanged(distillation);
        var further = FurtherRows.Of(student, dataset, find);
        var start = distillation.Warm ? teacher.Start(new TrainingPlan(student, dataset, networks).Of(0).Network.Layout, student.Members) : null;
        var targets = teacher.Teach(distillation, further, start);
        return new Lesson(student with
        {
            Distillation = distillation with
            {
                Weights = [.. teacher.Weights], UnlabelledSha256 = further.Sha256, UnlabelledRows = further.Unlabelled, Targets = targets.Sha256,
            },
        }, targets);
    }
}
