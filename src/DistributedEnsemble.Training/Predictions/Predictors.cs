namespace DistributedEnsemble.Training;

public static class Predictors
{
    /// <summary>One constituent as a predictor.</summary>
    /// <param name="monteCarloSamples">Dropout masks to average over; 0 is weight scaling.</param>
    public static IPredictor Create(TrainingPlan plan, Weights weights, int member, int monteCarloSamples) =>
        Create(plan.Network, plan.Random, weights, member, monteCarloSamples);

    /// <inheritdoc cref="Create(TrainingPlan, Weights, int, int)"/>
    public static IPredictor Create(Network network, RandomSource random, Weights weights, int member, int monteCarloSamples) =>
        monteCarloSamples == 0
            ? new SingleModel(network, weights)
            : new MonteCarloDropout(network, weights, random, member, monteCarloSamples);
}
