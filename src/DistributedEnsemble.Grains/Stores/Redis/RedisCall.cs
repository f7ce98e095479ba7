using DistributedEnsemble.Messages;
using StackExchange.Redis;

namespace DistributedEnsemble.Grains.Stores.Redis;

/// <summary>What Redis refuses, or does not answer, becomes one line.</summary>
internal static class RedisCall
{
    /// <param name="failed">The exception for that line.</param>
    public static async Task<T> AskAsync<T>(Func<Task<T>> ask, Func<string, Exception> failed)
    {
        try
        {
            return await ask();
        }
        catch (Exception exception) when (exception is RedisException or RedisTimeoutException)
        {
            throw failed($"Redis does not do what it is asked: {OneLine.Of(exception.Message)}");
        }
    }
}
