using static TorchSharp.torch;

namespace DistributedEnsemble.Training;

/// <summary>Rows with their labels, preprocessed, in memory that torch allocated.</summary>
/// <param name="Inputs">float32, [n, features] or [n, channels, height, width].</param>
/// <param name="Labels">int64, [n]: indices into the dataset's classes.</param>
public sealed record Samples(Tensor Inputs, Tensor Labels) : IDisposable
{
    public long Count => Labels.size(0);

    /// <summary>A copy of some rows, in the given order.</summary>
    public Samples Rows(ReadOnlySpan<int> rows)
    {
        using var scope = NewDisposeScope();
        var index = tensor(rows.ToArray(), dtype: ScalarType.Int64);
        return new Samples(
            Inputs.index_select(0, index).DetachFromDisposeScope(), Labels.index_select(0, index).DetachFromDisposeScope());
    }

    public void Dispose()
    {
        Inputs.Dispose();
        Labels.Dispose();
    }
}
