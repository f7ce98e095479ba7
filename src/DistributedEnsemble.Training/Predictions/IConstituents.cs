using System.Collections.Immutable;
using System.Runtime.InteropServices;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Safetensors;

namespace DistributedEnsemble.Training.Predictions;

/// <summary>Asks single constituents of a run, wherever their weights are.</summary>
internal interface IConstituents
{
    /// <param name="rows">Which rows of the run's own data.</param>
    /// <returns>The answers of each constituent, in their order; out of fold, to those of the rows that its member did not see.</returns>
    ValueTask<ConstituentAnswers> PredictAsync(ImmutableArray<WeightFile> constituents, int monteCarloSamples, RowRange rows);
}

/// <summary>Rows of a run's own data.</summary>
/// <param name="Start">A multiple of <see cref="BatchedPrediction.BatchSize"/>.</param>
internal readonly record struct RowRange(DataPart Part, int Start, int Count)
{
    /// <summary>Bytes of a model's answers at once: more would be large objects, which pile up until they are collected.</summary>
    private const int MostBytes = 1 << 16;

    /// <summary>All rows of a part, a piece at a time.</summary>
    public static IEnumerable<RowRange> Of(TrainingPlan plan, DataPart part)
    {
        var rows = part == DataPart.OutOfFold ? plan.Rows.Count : (int)plan.Samples(part).Count;
        // Whole batches, so that the bits do not depend on it.
        var most = Math.Max(1, MostBytes / (sizeof(double) * plan.Task.Width * BatchedPrediction.BatchSize)) * BatchedPrediction.BatchSize;
        for (var start = 0; start < rows; start += most) yield return new RowRange(part, start, Math.Min(most, rows - start));
    }
}

/// <summary>The constituents of a run's folder, predicted on the calling thread, with one model in memory at a time.</summary>
internal sealed class FolderConstituents(RunFolder folder, TrainingPlan plan, CancellationToken cancellation = default) : IConstituents
{
    /// <exception cref="SafetensorsException">A file of weights is missing or damaged.</exception>
    public ValueTask<ConstituentAnswers> PredictAsync(
        ImmutableArray<WeightFile> constituents, int monteCarloSamples, RowRange rows) =>
        ValueTask.FromResult(new ConstituentAnswers([.. constituents.Select(file =>
        {
            cancellation.ThrowIfCancellationRequested();
            using var weights = WeightFiles.LoadWeights(folder, file, plan.Of(file.Member).Network.Layout);
            var predictor = Predictors.Create(plan, weights, file.Member, monteCarloSamples);
            return ImmutableCollectionsMarshal.AsImmutableArray(
                plan.Predict(predictor, file.Member, rows, cancellation));
        })]));
}
