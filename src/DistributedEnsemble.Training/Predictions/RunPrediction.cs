using DistributedEnsemble.Training.Tasks;
using static TorchSharp.torch;

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
        set_num_threads(1);
        var run = RunDescription.Read(folder);
        var network = networks.Build(run.Spec, run.Data.Inputs, run.Data.Task.For(run.Spec).Outputs);
        var selection = ConstituentSelection.Stored(folder, status.Run, ChosenConstituents.Of(status, run.Spec, network, choice));
        var random = new RandomSource(run.Spec.Seed);
        var batches = read(run.Data).Select(rows => (Rows: rows, Mean: new ProbabilityMean())).ToList();
        foreach (var (file, multiplicity) in selection.Constituents.Zip(selection.Multiplicities))
        {
            using var weights = WeightFiles.LoadWeights(folder, file, network.Layout);
            var predictor = Predictors.Create(network, random, weights, file.Member, selection.MonteCarloSamples);
            foreach (var (rows, mean) in batches)
                mean.Add(BatchedPrediction.OfRaw(predictor, run.Data.InputShape, run.Data.Preprocessing, rows).Probabilities, multiplicity);
        }

        return new PredictedRows(((Classification)run.Data.Task).Classes, [.. batches.Select(batch => batch.Mean.ToArray())]);
    }
}
