using DistributedEnsemble.Serving.Processes;

namespace DistributedEnsemble.Client.Clusters;

/// <summary>Calls to a cluster whose silos may die: what they held comes back elsewhere within seconds.</summary>
internal static class PatientCall
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5), s_pause = TimeSpan.FromMilliseconds(500);

    /// <summary>Asks until there is an answer, or five minutes are over.</summary>
    public static async Task<T> AsksAsync<T>(Func<Task<T>> ask, Interruption interruption, TimeProvider time)
    {
        var since = time.GetTimestamp();
        while (true)
        {
            try
            {
                return await ask();
            }
            catch (Exception exception) when (exception is OrleansException or TimeoutException && interruption.IsAsked)
            {
                throw new OperationCanceledException(exception.Message, exception, interruption.Token);
            }
            catch (Exception exception) when (exception is OrleansException or TimeoutException
                && time.GetElapsedTime(since) < s_patience)
            {
                await Task.Delay(s_pause, time, interruption.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
