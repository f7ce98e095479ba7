using DistributedEnsemble.Training;

namespace DistributedEnsemble.Grains;

/// <summary>Answers with the probabilities of single constituents, from this silo's cache and on its prediction threads.</summary>
internal sealed class ConstituentPredictor(
    EnsembleTrainingOptions options, PlanCache plans, ConstituentCache cache, PredictionThreads threads)
{
    public async Task<ConstituentProbabilities> PredictAsync(RunKey run, ConstituentQuery query)
    {
        var values = await Task.WhenAll(query.Constituents.Select(file => threads.RunAsync(() => Predict(run, query, file))));
        return ConstituentAnswers.Of(values);
    }

    private RowAnswers Predict(RunKey run, ConstituentQuery query, WeightFile file)
    {
        var plan = plans.Plan(run, query.Definition);
        using var weights = cache.Borrow(new RunFolder(options.RunsFolder, run.Name), file, plan.Network.Layout);
        var predictor = Predictors.Create(plan, weights.Value, file.Member, query.MonteCarloSamples);
        return query.Part is { } part
            ? BatchedPrediction.OfRows(predictor, plan.Samples(part), query.Start, query.Count)
            : BatchedPrediction.OfRaw(predictor, plan.Dataset.InputShape, plan.Dataset.Preprocessing, query.Rows.AsSpan());
    }
}
