using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Reports.Experiments;

/// <summary>What a trained member left: the answers of its models, not their weights.</summary>
/// <param name="Snapshots">At the steps of the spec's snapshots, ascending; the last is the final model.</param>
/// <param name="Ema">The EMA model at the last step, by its reset; empty unless the spec averages.</param>
/// <param name="Lines">Its metric lines.</param>
public sealed record TrainedMember(
    IReadOnlyList<ModelAnswers> Snapshots, IReadOnlyDictionary<AveragingReset, ModelAnswers> Ema, IReadOnlyList<StepMetrics> Lines)
{
    public Answers Final => Snapshots[^1].Scaled;
}

/// <summary>How one model answers.</summary>
/// <param name="Scaled">With dropout by weight scaling.</param>
/// <param name="Sampled">With Monte-Carlo dropout; the same as <paramref name="Scaled"/> unless the arm asks for samples.</param>
public sealed record ModelAnswers(Answers Scaled, Answers Sampled);

/// <summary>The answers of one model, or of an average, on both splits.</summary>
/// <param name="Validation">[rows, width], row after row.</param>
/// <param name="Test">[rows, width], row after row.</param>
/// <param name="Forwards">Passes through a network that a row takes.</param>
public sealed record Answers(double[] Validation, double[] Test, int Forwards)
{
    /// <summary>The mean, summed in order.</summary>
    /// <param name="multiplicities">How often each counts; null is once.</param>
    public static Answers Average(IEnumerable<Answers> models, IReadOnlyList<int>? multiplicities = null)
    {
        AnswerMean validation = new(), test = new();
        var forwards = 0;
        foreach (var (i, model) in models.Index())
        {
            var times = multiplicities?[i] ?? 1;
            if (times == 0) continue;
            validation.Add(model.Validation, times);
            test.Add(model.Test, times);
            forwards += model.Forwards;
        }

        return new Answers(validation.ToArray(), test.ToArray(), forwards);
    }
}
