using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training;

/// <summary>
/// Predicts rows from a run's folder alone, on the calling thread: what the run was trained on need not be there, and one
/// constituent is in memory at a time.
/// </summary>
public static class RunPrediction
{
    /// <param name="choice">What differs from the spec's prediction.</param>
    /// <param name="read">Raw rows for data of this description, in batches.</param>
    /// <exception cref="SpecException">Nothing fits the choice.</exception>
    /// <exception cref="InvalidDataException">The folder's spec or data description is missing or damaged.</exception>
    /// <exception cref="SafetensorsException">A file of weights is missing or damaged.</exception>
    public static PredictedRows Predict(
        RunFolder folder, RunStatus status, ConstituentChoice? choice, NetworkRegistry networks, Func<DataDescription, IEnumerable<float[]>> read)
    {
        var run = RunDescription.Read(folder);
        var task = run.Data.Task.For(run.Spec);
        var network = networks.Build(run.Spec, run.Data.Inputs, task.Outputs);
        var selection = ConstituentSelection.Stored(folder, status.Run, task, ChosenConstituents.Of(status, run.Spec, network, choice));
        if (selection.Fit is { Fit: { } fit }) task = task.Fitted(fit);
        var random = new RandomSource(run.Spec.Seed);
        var batches = read(run.Data).Select(rows => (Rows: rows, Mean: new AnswerMean())).ToList();
        foreach (var (rows, _) in batches) run.Data.Preprocessing.Apply(rows);
        foreach (var (file, multiplicity) in selection.Constituents.Zip(selection.Multiplicities))
        {
            using var weights = WeightFiles.LoadWeights(folder, file, network.Layout);
            var predictor = Predictors.Create(network, task, random, weights, file.Member, selection.MonteCarloSamples);
            foreach (var (rows, mean) in batches)
                mean.Add(BatchedPrediction.Of(predictor, rows, (int)run.Data.Inputs.Width), multiplicity);
        }

        OutputDescription[] columns = [.. task.Columns.Select(name => task.Predictions.First(output => output.Name == name))];
        return new PredictedRows(columns, [.. batches.Select(batch => batch.Mean.ToArray()).Select(
            mean => PredictedBatch.Of(columns, mean.Length / task.Width, task.Predict(mean)))]);
    }
}
