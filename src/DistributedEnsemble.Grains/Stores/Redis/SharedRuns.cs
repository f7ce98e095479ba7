using StackExchange.Redis;

namespace DistributedEnsemble.Grains.Stores.Redis;

/// <summary>
/// Redis knows what the silos of a cluster keep their runs in. A silo with another one, as where a folder is not mounted, would find no
/// checkpoint and have its members' work thrown away.
/// </summary>
internal static class SharedRuns
{
    private static readonly RedisKey s_key = "ensemble/folder", s_choice = "ensemble/folder/choice";

    /// <summary>How long a silo has for a choice: one that ended meanwhile holds nobody up for longer.</summary>
    private static readonly TimeSpan s_choosing = TimeSpan.FromSeconds(60);

    /// <summary>Makes sure that a silo has what the others have; the first one chooses.</summary>
    /// <exception cref="IOException">It has another one, or it cannot be written; the message is one line for people.</exception>
    /// <exception cref="RedisUnreachableException">Redis does not do what it is asked.</exception>
    public static async Task CheckAsync(IConnectionMultiplexer redis, ISharedPlace place)
    {
        var shared = await KnownAsync(redis.GetDatabase(), () => place.Find() ?? place.Make());
        if (await Task.Run(place.Find) != shared) throw place.Refused(shared);
    }

    /// <summary>
    /// What Redis knows. Where it knows nothing yet, one silo at a time chooses: of those that did so at once, a store that ignores
    /// conditions of writes would keep the id of the last, and Redis that of the first.
    /// </summary>
    private static async Task<string> KnownAsync(IDatabase database, Func<string> choose)
    {
        for (RedisValue own = $"{Guid.NewGuid():N}"; ; await Task.Delay(100))
        {
            if (await FindAsync() is { } known) return known;
            if (!await RedisClusterId.AskAsync(() => database.LockTakeAsync(s_choice, own, s_choosing))) continue;
            try
            {
                if (await FindAsync() is null && await Task.Run(choose) is var chosen)
                    await RedisClusterId.AskAsync(() => database.StringSetAsync(s_key, chosen, when: When.NotExists));
            }
            finally
            {
                await RedisClusterId.AskAsync(() => database.LockReleaseAsync(s_choice, own));
            }
        }

        async Task<string?> FindAsync() => await RedisClusterId.AskAsync(() => database.StringGetAsync(s_key));
    }
}
