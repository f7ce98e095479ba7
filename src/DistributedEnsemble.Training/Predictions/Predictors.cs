using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Randomness;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Predictions;

internal static class Predictors
{
    /// <summary>One constituent as a predictor.</summary>
    /// <param name="monteCarloSamples">Dropout masks to average over; 0 is weight scaling. A network without dropout has none.</param>
    public static IPredictor Create(TrainingPlan plan, Weights weights, int member, int monteCarloSamples) =>
        Create(plan.Networks.Of(member), plan.Task, plan.Random, weights, member, monteCarloSamples);

    /// <inheritdoc cref="Create(TrainingPlan, Weights, int, int)"/>
    public static IPredictor Create(
        Network network, LearningTask task, RandomSource random, Weights weights, int member, int monteCarloSamples) =>
        monteCarloSamples == 0 || !network.HasDropout
            ? new SingleModel(network, task, weights)
            : new MonteCarloDropout(network, task, weights, random, member, monteCarloSamples);
}
