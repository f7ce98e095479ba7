using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Signals;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Security;
using DistributedEnsemble.Grains.Stores.Redis;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Serving;
using DistributedEnsemble.Serving.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using StackExchange.Redis;

namespace DistributedEnsemble.Client.Clusters;

/// <summary>The silos that share a Redis, seen from outside.</summary>
internal sealed class RemoteCluster : ICluster
{
    /// <summary>How long silos have to answer at first.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private readonly IHost _host;
    private readonly SiloLoss _loss;

    private RemoteCluster(IHost host, SiloLoss loss) => (_host, _loss) = (host, loss);

    public IGrainFactory Grains => _host.Services.GetRequiredService<IGrainFactory>();

    public bool OutlivesProcess => true;

    /// <exception cref="RedisUnreachableException">Redis does not answer, or not as it should.</exception>
    /// <exception cref="ServerUnreachableException">No silo does.</exception>
    public static async Task<ICluster> ConnectAsync(RedisAddress address, CancellationToken cancellation)
    {
        // First by itself: Orleans' own attempts end in a longer story.
        string? clusterId;
        await using (var redis = await address.ConnectAsync().WaitAsync(cancellation)) clusterId = await RedisClusterId.FindAsync(redis).WaitAsync(cancellation);
        if (clusterId is null) throw NoSilo(address);
        var loss = new SiloLoss();
        var host = Build(address, clusterId, loss);
        try
        {
            await host.StartAsync(cancellation).WaitAsync(s_patience, cancellation);
            return new RemoteCluster(host, loss);
        }
        catch (Exception exception) when (cancellation.IsCancellationRequested)
        {
            host.Dispose();
            throw new OperationCanceledException(exception.Message, exception, cancellation);
        }
        catch (Exception exception) when (exception is OrleansException or TimeoutException or OperationCanceledException)
        {
            host.Dispose();
            throw NoSilo(address);
        }
        catch (RedisException exception)
        {
            host.Dispose();
            throw new RedisUnreachableException($"{address} does not do what it is asked: {OneLine.Of(exception.Message)}");
        }
    }

    public async Task<T> AskAsync<T>(Func<Task<T>> ask)
    {
        var lost = _loss.Next;
        var answer = ask();
        await Task.WhenAny(answer, lost);
        return answer.IsCompleted ? await answer : throw new TimeoutException("A silo of the cluster went before all answers had come.");
    }

    private static IHost Build(RedisAddress address, string clusterId, SiloLoss loss)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        EmbeddedCluster.Logs(builder.Logging);
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        builder.UseOrleansClient(client =>
        {
            client.UseEnsembleRedis(address.ToConfiguration(), clusterId);
            client.Configure<GatewayOptions>(options => options.GatewayListRefreshPeriod = TimeSpan.FromSeconds(2));
            // Whoever gives up and leaves has told the silo before.
            client.Configure<ClientMessagingOptions>(options => options.WaitForCancellationAcknowledgement = true);
            client.AddGatewayCountChangedHandler((_, count) =>
            {
                if (count.NumberOfConnectedGateways < count.PreviousNumberOfConnectedGateways) loss.Tell();
            });
            if (TlsSettings.Read(ServingConfiguration.OfEnvironment()) is { } tls) client.UseMutualTls(tls);
        });
        return builder.Build();
    }

    private static ServerUnreachableException NoSilo(RedisAddress address) => new(
        $"{address} answers, but no silo of its cluster does. Start one: ensemble-silo --cluster {address} --runs DIR (one off loopback needs the certificates of ENSEMBLE__TLS__… here, too).");

    /// <summary>Says goodbye; silos that do not hear it find out by themselves.</summary>
    public async ValueTask DisposeAsync()
    {
        var stopping = _host.StopAsync();
        await Task.WhenAny(stopping, Task.Delay(Farewell.Time));
        if (stopping.IsCompleted) _host.Dispose();
    }

    /// <summary>Tells who waits that a silo went.</summary>
    private sealed class SiloLoss
    {
        private volatile TaskCompletionSource _next = NewSignal();

        public Task Next => _next.Task;

        public void Tell() => Interlocked.Exchange(ref _next, NewSignal()).SetResult();

        private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
