using System.Net;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Predictions;
using Orleans.Configuration;

namespace DistributedEnsemble.Serving.Hosting;

/// <summary>
/// A cluster of one silo inside this process: on an ephemeral loopback port, under a random cluster id, without a gateway.
/// </summary>
public sealed class EmbeddedSilo : IAsyncDisposable
{
    private readonly IHost _host;

    private EmbeddedSilo(IHost host) => _host = host;

    public IGrainFactory Grains => _host.Services.GetRequiredService<IGrainFactory>();

    internal LocalAggregators Aggregators => _host.Services.GetRequiredService<LocalAggregators>();

    /// <param name="configure">What the silo offers to runs.</param>
    /// <param name="logs">Where its logs go; null drops them.</param>
    /// <param name="isServed">Whether a server shows Orleans' own pages of it; collecting for them takes some megabytes.</param>
    /// <exception cref="OperationCanceledException">It is not wanted any more; what had begun to start ends behind the caller, and trains nothing.</exception>
    public static async Task<EmbeddedSilo> StartAsync(
        Action<EnsembleTrainingOptions> configure, Action<ILoggingBuilder>? logs = null, bool isServed = true, CancellationToken cancellationToken = default)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        logs?.Invoke(builder.Logging);
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering().AcceptNoConnections();
            silo.Configure<ClusterOptions>(options => options.ClusterId = options.ServiceId = $"embedded-{Guid.NewGuid():N}");
            silo.Configure<EndpointOptions>(options => options.SiloListeningEndpoint = new IPEndPoint(IPAddress.Loopback, 0));
            // Whoever gives up a call hears what came of it: a run that is not to be has not begun.
            silo.Configure<SiloMessagingOptions>(options => options.WaitForCancellationAcknowledgement = true);
            silo.AddEnsembleTraining(configure);
            if (isServed) silo.CollectForDashboard();
        });
        cancellationToken.ThrowIfCancellationRequested();
        var host = builder.Build();
        // Half a start would have to be undone: it goes on to its end, for which nobody waits, and is then undone as a whole.
        var starting = host.StartAsync(CancellationToken.None);
        try
        {
            await starting.WaitAsync(cancellationToken);
            return new EmbeddedSilo(host);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            _ = UndoAsync(host, starting);
            throw;
        }
        catch
        {
            host.Dispose();
            throw;
        }
    }

    private static async Task UndoAsync(IHost host, Task starting)
    {
        using (host)
        {
            await starting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await host.StopAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }
}
