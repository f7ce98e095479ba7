using System.Numerics.Tensors;

namespace DistributedEnsemble.Training;

/// <summary>Averaged class probabilities of rows.</summary>
/// <param name="Classes">As the data has them.</param>
/// <param name="Batches">[rows, classes] each, row after row.</param>
public sealed record PredictedRows(IReadOnlyList<string> Classes, IReadOnlyList<float[]> Batches)
{
    public IEnumerable<PredictedRow> Rows =>
        from batch in Batches
        from row in Enumerable.Range(0, batch.Length / Classes.Count)
        select new PredictedRow(batch.AsMemory(row * Classes.Count, Classes.Count));
}

/// <param name="Probabilities">Of each class.</param>
public readonly record struct PredictedRow(ReadOnlyMemory<float> Probabilities)
{
    /// <summary>The most probable class.</summary>
    public int Best => TensorPrimitives.IndexOfMax(Probabilities.Span);

    /// <summary>In nats.</summary>
    public double Entropy => Uncertainty.Entropy(Probabilities.Span);
}
