namespace DistributedEnsemble.Client.Rendering;

/// <summary>Shows nothing.</summary>
internal sealed class QuietView : IProgressView
{
    public async Task<ProgressFrame> ShowAsync(IAsyncEnumerable<ProgressFrame> frames)
    {
        ProgressFrame? last = null;
        await foreach (var frame in frames) last = frame;
        return last ?? throw new InvalidOperationException("A run has at least one status.");
    }
}
