using System.Diagnostics;

namespace DistributedEnsemble.Tests.Processes;

/// <summary>Waits for a condition.</summary>
internal static class Until
{
    /// <summary>Longer than anything takes on a busy machine: a wait that comes so far is in vain.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(150);

    public static Task TrueAsync(Func<bool> condition) => AsksAsync(() => Task.FromResult(condition() ? "" : null));

    /// <summary>Asks until there is an answer.</summary>
    /// <exception cref="TimeoutException">There is none.</exception>
    public static async Task<T> AsksAsync<T>(Func<Task<T?>> ask) where T : class
    {
        var since = Stopwatch.StartNew();
        while (since.Elapsed < Patience)
        {
            if (await ask() is { } answer) return answer;
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }

        throw new TimeoutException($"Not within {Patience}.");
    }
}
