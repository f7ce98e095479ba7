using System.Collections.Immutable;
using System.Runtime.InteropServices;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions.EarlyExit;
using DistributedEnsemble.Training.Safetensors;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Predictions;

/// <summary>
/// Predicts rows or images from a run's folder alone, on the calling thread: what the run was trained on need not be there.
/// The constituents are in memory, and of what is predicted a batch at a time.
/// </summary>
internal static class RunPrediction
{
    /// <param name="choice">What differs from the spec's prediction.</param>
    /// <param name="coverage">The share of rows that intervals shall hold; null for the default.</param>
    /// <param name="open">What is predicted, as the run's data was.</param>
    /// <param name="write">Gets the predictions, which are made while it takes them.</param>
    /// <exception cref="SpecException">Nothing fits the choice, or the task has no interval for the coverage.</exception>
    /// <exception cref="DataException">The table does not fit the run.</exception>
    /// <exception cref="InvalidDataException">The folder's spec or data description is missing or damaged.</exception>
    /// <exception cref="SafetensorsException">A file of weights is missing or damaged.</exception>
    /// <exception cref="OperationCanceledException">It was given up, also while rows are taken.</exception>
    public static void Predict(
        RunFolder folder, RunStatus status, ConstituentChoice? choice, double? coverage, NetworkRegistry networks, Func<DataDescription, IRowBatches> open,
        Action<PredictedRows> write, CancellationToken cancellation = default)
    {
        var run = RunDescription.Read(folder);
        var model = RunModel.Of(run, networks);
        var task = model.Task;
        var columns = task.TableColumns(coverage);
        var selection = ConstituentSelection.Stored(folder, status.Run, task, ChosenConstituents.Of(status, run.Spec, model.Networks, choice));
        task = task.FittedBy(selection.Fit);
        if (selection.Exit is not null) columns = [.. columns, OutputDescription.MembersUsed];
        var width = (int)run.Data.Inputs.Width;
        using var rows = open(run.Data);
        var weights = new List<Weights>();
        try
        {
            foreach (var constituent in selection.Constituents) weights.Add(WeightFiles.LoadWeights(folder, constituent, model.Networks.Of(constituent.Member).Layout));
            var predictors = weights.Zip(
                selection.Constituents, (loaded, constituent) => model.Predictor(loaded, constituent.Member, selection.MonteCarloSamples)).ToArray();
            write(PredictedRows.Begin(columns, rows.PassedColumns, rows.Batches().Select(batch =>
            {
                cancellation.ThrowIfCancellationRequested();
                var inputs = batch.Inputs.ToArray();
                run.Data.Preprocessing.Apply(inputs);
                var (mean, members) = selection.Exit is null ? (Mean(inputs), []) : MeanOfFew(inputs, batch.Rows);
                var values = task.Predict(mean, coverage: coverage ?? PredictionRequest.DefaultCoverage);
                return PredictedBatch.Of(columns, batch.Rows, [.. values, new OutputValues(OutputDescription.MembersUsed.Name) { Integers = members }], batch.Passed);
            })));

            double[] Mean(float[] inputs)
            {
                var mean = new AnswerMean();
                foreach (var (predictor, multiplicity) in predictors.Zip(selection.Multiplicities)) mean.Add(BatchedPrediction.Of(predictor, inputs, width, cancellation), multiplicity);
                return mean.ToArray();
            }

            (double[] Mean, ImmutableArray<long> Members) MeanOfFew(float[] inputs, int count)
            {
                var exits = new RowExits(task, selection, count);
                while (!exits.Rows.IsEmpty)
                {
                    var some = Some(inputs, exits.Rows, width);
                    exits.Add([.. exits.Places.Select(place => ImmutableCollectionsMarshal.AsImmutableArray(BatchedPrediction.Of(predictors[place], some, width, cancellation)))]);
                }

                return (exits.Mean(), [.. exits.Members.Select(members => (long)members)]);
            }
        }
        finally
        {
            foreach (var loaded in weights) loaded.Dispose();
        }
    }

    private static float[] Some(float[] inputs, ImmutableArray<int> rows, int width)
    {
        if (rows.Length * width == inputs.Length) return inputs;
        var some = new float[rows.Length * width];
        for (var i = 0; i < rows.Length; i++) inputs.AsSpan(rows[i] * width, width).CopyTo(some.AsSpan(i * width));
        return some;
    }
}
