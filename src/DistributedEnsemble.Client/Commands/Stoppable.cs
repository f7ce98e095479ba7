using DistributedEnsemble.Silo;

namespace DistributedEnsemble.Client.Commands;

/// <summary>Long work of a command that changes nothing, and that the first interruption ends.</summary>
internal static class Stoppable
{
    /// <summary>Within that, silos hear that nobody waits any more.</summary>
    private static readonly TimeSpan s_farewell = TimeSpan.FromSeconds(1);

    /// <returns>Null if an interruption came first.</returns>
    public static async Task<T?> RunAsync<T>(Func<CancellationToken, T> work, Interruption interruption) where T : class
    {
        var cancellation = interruption.Token;
        var working = Task.Run(() => work(cancellation), CancellationToken.None);
        try
        {
            return await working.WaitAsync(cancellation);
        }
        catch (OperationCanceledException) when (interruption.IsAsked)
        {
            // Data that is being loaded is not waited for.
            await Task.WhenAny(working, Task.Delay(s_farewell, CancellationToken.None));
            return null;
        }
    }
}
