using DistributedEnsemble.Predictions;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Reports.Experiments;

/// <summary>Trains one member on the calling thread and records the answers of its models on the way.</summary>
internal static class MemberRecording
{
    public static TrainedMember Run(Arm arm, TrainingPlan plan, int member, CancellationToken cancellation)
    {
        List<ModelAnswers> snapshots = [];
        List<StepMetrics> lines = [];
        var own = plan.Of(member);
        using var averages = new RunningAverages(own);
        using var training = new MemberTraining(plan, member);
        while (!training.HasEnded)
        {
            cancellation.ThrowIfCancellationRequested();
            if (training.Advance() is { } line) lines.Add(line);
            averages.Observe(training);
            // The final model comes last, also if it is an earlier one.
            if (!training.IsSnapshot || training.HasEnded) continue;
            using var weights = training.CopyWeights();
            snapshots.Add(Predict(arm, plan, weights, member));
        }

        using var final = training.CopyFinal();
        snapshots.Add(Predict(arm, plan, final, member));

        var ema = averages.Models.ToDictionary(entry => entry.Reset, entry => Predict(arm, plan, entry.Weights, member));
        return new TrainedMember(snapshots, ema, lines);
    }

    private static ModelAnswers Predict(Arm arm, TrainingPlan plan, Weights weights, int member)
    {
        var scaled = Predict(plan, weights, member, samples: 0);
        return new ModelAnswers(scaled, arm.MonteCarloSamples > 0 ? Predict(plan, weights, member, arm.MonteCarloSamples) : scaled);
    }

    private static Answers Predict(TrainingPlan plan, Weights weights, int member, int samples)
    {
        var predictor = Predictors.Create(plan, weights, member, samples);
        return new Answers(All(DataPart.Validation), All(DataPart.Test), Math.Max(1, samples));

        double[] All(DataPart part) =>
            BatchedPrediction.OfRows(predictor, plan.Samples(part), 0, (int)plan.Samples(part).Count);
    }
}
