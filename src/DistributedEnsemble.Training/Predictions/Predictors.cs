namespace DistributedEnsemble.Training;

public static class Predictors
{
    /// <summary>One constituent as a predictor.</summary>
    /// <param name="monteCarloSamples">Dropout masks to average over; 0 is weight scaling.</param>
    public static IPredictor Create(TrainingPlan plan, Weights weights, int member, int monteCarloSamples) =>
        monteCarloSamples == 0
            ? new SingleModel(plan.Network, weights)
            : new MonteCarloDropout(plan.Network, weights, plan.Random, member, monteCarloSamples);
}
