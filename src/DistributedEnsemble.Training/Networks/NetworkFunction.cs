namespace DistributedEnsemble.Training.Networks;

/// <summary>
/// y = f(W, x, z) and its gradient with respect to W, by one kind of kernels. It holds the working memory of a pass and nothing
/// of the weights: any weights of the network may follow each other.
/// </summary>
/// <remarks>For one thread at a time.</remarks>
public abstract class NetworkFunction : IDisposable
{
    /// <summary>Where a pass takes its inputs from, [rows, inputs]. A pass may overwrite them.</summary>
    public abstract Span<float> Inputs { get; }

    /// <summary>The numbers that the task makes predictions of: the scores (logits) of each class, for one.</summary>
    /// <param name="rows">How many of the <see cref="Inputs"/> count.</param>
    /// <returns>[rows, …output shape], and with Monte-Carlo samples [samples, rows, …output shape]; valid until the next pass.</returns>
    public abstract ReadOnlySpan<float> Forward(Weights weights, int rows, Noise noise);

    /// <summary>A pass over inputs that lie elsewhere, and are left as they are.</summary>
    /// <param name="inputs">[rows, inputs].</param>
    /// <inheritdoc cref="Forward(Weights, int, Noise)"/>
    internal virtual ReadOnlySpan<float> Forward(Weights weights, ReadOnlySpan<float> inputs, int rows, Noise noise)
    {
        inputs.CopyTo(Inputs);
        return Forward(weights, rows, noise);
    }

    /// <summary>Sets the gradient of the weights to that of the loss.</summary>
    /// <param name="gradient">That of the outputs of the last pass forward; overwritten.</param>
    public abstract void Backward(Weights weights, Span<float> gradient);

    public abstract void Dispose();
}
