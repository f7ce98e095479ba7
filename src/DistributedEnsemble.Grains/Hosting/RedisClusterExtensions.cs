using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Grains.Stores.Redis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Messaging;
using StackExchange.Redis;

namespace DistributedEnsemble.Grains.Hosting;

/// <summary>Makes silos and clients a cluster that Redis holds together.</summary>
public static class RedisClusterExtensions
{
    /// <summary>What the keys of membership and records begin with.</summary>
    private const string ServiceName = "ensemble";

    /// <summary>
    /// Lets silos of many processes share membership and records in Redis. Comes after
    /// <see cref="EnsembleSiloBuilderExtensions.AddEnsembleTraining"/>, whose stores it takes the place of.
    /// </summary>
    /// <param name="redis">Connected already.</param>
    /// <param name="clusterId">That of <see cref="RedisClusterId"/>.</param>
    public static ISiloBuilder UseEnsembleRedis(
        this ISiloBuilder silo, ConfigurationOptions configuration, IConnectionMultiplexer redis, string clusterId)
    {
        silo.Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (clusterId, ServiceName));
        silo.UseRedisClustering(options => options.ConfigurationOptions = configuration);
        // A dead silo is known within some 2 s; the silos' own word in the table is what a cluster that starts again waits for.
        silo.Services.AddOptions<ClusterMembershipOptions>().Configure<EnsembleTrainingOptions>((options, training) =>
        {
            options.ProbeTimeout = training.Timing.Probe;
            options.NumMissedProbesLimit = 2;
            options.TableRefreshTimeout = TimeSpan.FromSeconds(5);
            options.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(1);
        });
        silo.Services.AddRedisRecords(redis);
        return silo;
    }

    /// <summary>Lets a silo keep the records of runs in Redis.</summary>
    internal static void AddRedisRecords(this IServiceCollection services, IConnectionMultiplexer redis)
    {
        services.AddSingleton(all => new RedisRuns(redis, all.GetRequiredService<EnsembleTrainingOptions>(), all.GetRequiredService<ILogger<RedisRuns>>()));
        services.AddSingleton<IRunDirectory>(all => all.GetRequiredService<RedisRuns>());
        services.AddSingleton<IRunOwnership>(all => all.GetRequiredService<RedisRuns>());
        services.AddSingleton<IRunStore>(all => new RedisRunStore(redis, all.GetRequiredService<EnsembleTrainingOptions>(), all.GetRequiredService<ILogger<RedisRunStore>>()));
    }

    /// <summary>Lets a client outside find the silos of a cluster.</summary>
    /// <param name="clusterId">That of <see cref="RedisClusterId"/>.</param>
    public static IClientBuilder UseEnsembleRedis(this IClientBuilder client, ConfigurationOptions configuration, string clusterId) => client
        .Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (clusterId, ServiceName))
        .ConfigureServices(services =>
        {
            services.AddSingleton<IGatewayListProvider>(all => new RedisGateways(
                configuration, all.GetRequiredService<IOptions<ClusterOptions>>(), all.GetRequiredService<IOptions<GatewayOptions>>()));
            services.AddExceptionsOnTheWire();
        });
}
