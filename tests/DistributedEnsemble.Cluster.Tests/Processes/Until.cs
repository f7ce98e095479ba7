namespace DistributedEnsemble.Cluster.Tests;

/// <summary>Waits for a condition; the test's own time-out is the limit.</summary>
internal static class Until
{
    public static Task TrueAsync(Func<bool> condition) => AsksAsync(() => Task.FromResult(condition() ? "" : null));

    /// <summary>Asks until there is an answer.</summary>
    public static async Task<T> AsksAsync<T>(Func<Task<T?>> ask) where T : class
    {
        while (true)
        {
            if (await ask() is { } answer) return answer;
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }
}
