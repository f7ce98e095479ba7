using DistributedEnsemble.Messages;
using DistributedEnsemble.Serving.Processes;

namespace DistributedEnsemble.Silo;

/// <summary>
/// The others call this silo dead, as after a long pause or behind a broken network: its members go on elsewhere, and nothing
/// of it counts any more. The process ends at once, before anything else runs.
/// </summary>
internal sealed class Eviction : IFatalErrorHandler
{
    public bool IsUnexpected(Exception exception) => true;

    public void OnFatalException(object? sender, string? context, Exception? exception)
    {
        var because = exception is null ? context : $"{context} {exception.Message}";
        Console.Error.WriteLine($"This silo ends: {OneLine.Of(because)}");
        Console.Error.Flush();
        ProcessEnd.AtOnce(ExitCode.Evicted);
    }
}
