using System.Diagnostics;

namespace DistributedEnsemble.Tests.Processes;

/// <summary>Waits for a condition.</summary>
internal static class Until
{
    /// <summary>Longer than anything takes on a busy machine: a wait that comes so far is in vain.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(150);

    /// <param name="said">What to show where it does not come true.</param>
    public static Task TrueAsync(Func<bool> condition, Func<string>? said = null) => AsksAsync(() => Task.FromResult(condition() ? "" : null), said);

    /// <summary>Asks until there is an answer.</summary>
    /// <exception cref="TimeoutException">There is none.</exception>
    public static async Task<T> AsksAsync<T>(Func<Task<T?>> ask, Func<string>? said = null) where T : class
    {
        var since = Stopwatch.StartNew();
        while (since.Elapsed < Patience)
        {
            if (await ask() is { } answer) return answer;
            await Task.Delay(25, TestContext.Current.CancellationToken);
        }

        throw new TimeoutException($"Not within {Patience}.{(said is null ? "" : $"\n{said()}")}");
    }
}
