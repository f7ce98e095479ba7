using Spectre.Console;

namespace DistributedEnsemble.Client.Rendering;

/// <summary>Shows a run while it trains.</summary>
internal interface IProgressView
{
    /// <summary>Shows every frame until there are no more, and returns the last.</summary>
    Task<ProgressFrame> ShowAsync(IAsyncEnumerable<ProgressFrame> frames);
}

internal static class ProgressViews
{
    /// <summary>A view that is redrawn in place on a terminal, and plain lines anywhere else.</summary>
    public static IProgressView For(IAnsiConsole console, TimeProvider time, MemberNames? names = null) =>
        console.IsInteractive() ? new LiveView(console, time, names) : new LineView(console, names);
}
