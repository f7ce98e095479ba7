using static TorchSharp.torch;

namespace DistributedEnsemble.Training;

/// <summary>Rows with their targets, preprocessed; the inputs lie in memory that torch allocated.</summary>
/// <param name="Inputs">float32, [n, features] or [n, channels, height, width].</param>
/// <param name="Targets">[n]: indices into the classes, or standardised numbers, as the dataset's task says.</param>
public sealed record Samples(Tensor Inputs, float[] Targets) : IDisposable
{
    public long Count => Targets.Length;

    /// <summary>A copy of some rows, in the given order.</summary>
    public Samples Rows(ReadOnlySpan<int> rows)
    {
        using var scope = NewDisposeScope();
        var index = tensor(rows.ToArray(), dtype: ScalarType.Int64);
        var targets = new float[rows.Length];
        for (var i = 0; i < targets.Length; i++) targets[i] = Targets[rows[i]];
        return new Samples(Inputs.index_select(0, index).DetachFromDisposeScope(), targets);
    }

    public void Dispose() => Inputs.Dispose();
}
