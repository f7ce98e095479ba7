using StackExchange.Redis;

namespace DistributedEnsemble.Grains.Stores.Redis;

/// <summary>
/// Each Redis has a cluster id of its own. Addresses are used again, and by then may lead to a silo of another cluster: it must
/// not answer for this one.
/// </summary>
public static class RedisClusterId
{
    private static readonly RedisKey s_key = "ensemble/cluster";

    /// <summary>The id, for a silo: the first one of a cluster chooses it.</summary>
    /// <exception cref="RedisUnreachableException">Redis does not do what it is asked.</exception>
    public static async Task<string> TakeAsync(IConnectionMultiplexer redis)
    {
        await AskAsync(() => redis.GetDatabase().StringSetAsync(s_key, $"ensemble-{Guid.NewGuid():N}", when: When.NotExists));
        return (await FindAsync(redis))!;
    }

    /// <returns>Null if no silo has ever been there.</returns>
    /// <exception cref="RedisUnreachableException">Redis does not do what it is asked.</exception>
    public static async Task<string?> FindAsync(IConnectionMultiplexer redis) => await AskAsync(() => redis.GetDatabase().StringGetAsync(s_key));

    internal static Task<T> AskAsync<T>(Func<Task<T>> ask) => RedisCall.AskAsync(ask, line => new RedisUnreachableException(line));
}
