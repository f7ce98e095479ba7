using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Client.Signals;
using DistributedEnsemble.Serving.Processes;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Client.Commands;

/// <summary>
/// Work that the first interruption ends, within about a second, whatever it waits for: a store that hangs, a silo, a disk. What has not
/// ended by then ends with the process, and what it wrote aside is removed.
/// </summary>
internal static class Stoppable
{
    /// <summary>A disk that hangs hangs here, too.</summary>
    private static readonly TimeSpan s_tidying = TimeSpan.FromSeconds(0.5);

    /// <summary>All that a command does.</summary>
    /// <param name="stopped">What is said where the interruption came first.</param>
    /// <param name="work">Gives the exit code.</param>
    public static async Task<int> RunAsync(Func<Interruption> listen, Consoles consoles, string stopped, Func<CancellationToken, int> work)
    {
        using var interruption = listen();
        if (await RunAsync<object>(cancellation => work(cancellation), interruption) is int exitCode) return exitCode;
        consoles.Error.WriteRaw(stopped);
        return interruption.ExitCode;
    }

    /// <returns>Null if an interruption came first.</returns>
    public static async Task<T?> RunAsync<T>(Func<CancellationToken, T> work, Interruption interruption) where T : class
    {
        var cancellation = interruption.Token;
        var unfinished = Unfinished.Follow();
        try
        {
            return await Farewell.WaitAsync(Task.Run(() => work(cancellation), CancellationToken.None), cancellation);
        }
        catch (OperationCanceledException) when (interruption.IsAsked)
        {
            unfinished.Remove(s_tidying);
            return null;
        }
    }
}
