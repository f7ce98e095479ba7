using System.Collections.Immutable;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training;

/// <summary>Measures a run from its folder alone, on the calling thread.</summary>
public static class RunEvaluation
{
    /// <param name="choice">What differs from the spec's prediction.</param>
    /// <param name="load">Loads a dataset by its name.</param>
    /// <exception cref="SpecException">Nothing fits the choice.</exception>
    /// <exception cref="InvalidDataException">The folder's spec or data description is missing or damaged.</exception>
    /// <exception cref="DataException">The data is missing, or is not what the run was trained on.</exception>
    /// <exception cref="SafetensorsException">A file of weights is missing or damaged.</exception>
    public static EvaluationReport Evaluate(
        RunFolder folder, RunStatus status, ConstituentChoice? choice, Func<string, Dataset> load, NetworkRegistry networks,
        CancellationToken cancellation = default)
    {
        set_num_threads(1);
        var run = RunDescription.Read(folder);
        var definition = new RunDefinition(run.Spec.ToJson(), run.Data.ToJson());
        var plan = TrainingPlan.Restore(status.Run, definition, load, networks);
        var chosen = ChosenConstituents.Of(status, plan, choice);
        var weights = new List<Weights>();
        try
        {
            foreach (var file in chosen.Constituents) weights.Add(WeightFiles.LoadWeights(folder, file, plan.Network.Layout));
            var predictors = chosen.Constituents
                .Zip(weights, (file, value) => Predictors.Create(plan, value, file.Member, chosen.MonteCarloSamples)).ToList();
            return Evaluate(plan, status.Run, chosen.Constituents, predictors, cancellation);
        }
        finally
        {
            foreach (var value in weights) value.Dispose();
        }
    }

    private static EvaluationReport Evaluate(
        TrainingPlan plan, string run, ImmutableArray<WeightFile> constituents, List<IPredictor> predictors, CancellationToken cancellation)
    {
        var evaluation = new EnsembleEvaluation(plan, constituents);
        foreach (var part in evaluation.Parts)
        {
            var samples = plan.Samples(part);
            for (var start = 0; start < samples.Count; start += BatchedPrediction.BatchSize)
            {
                cancellation.ThrowIfCancellationRequested();
                var count = (int)Math.Min(BatchedPrediction.BatchSize, samples.Count - start);
                evaluation.Add(part, start, [.. predictors.Select(predictor => ImmutableCollectionsMarshal.AsImmutableArray(
                    BatchedPrediction.OfRows(predictor, samples, start, count)))]);
            }
        }

        return evaluation.Report(run);
    }
}
