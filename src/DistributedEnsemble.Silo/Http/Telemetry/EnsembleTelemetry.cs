using DistributedEnsemble.Grains;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace DistributedEnsemble.Silo.Http;

/// <summary>Offers what the process measures: to Prometheus at /metrics, and with traces to a collector if one is named.</summary>
internal static class EnsembleTelemetry
{
    /// <summary>How OpenTelemetry's own variables begin.</summary>
    private const string Prefix = "OTEL_";

    /// <summary>The collector's address.</summary>
    private const string Collector = Prefix + "EXPORTER_OTLP_ENDPOINT";

    public static void AddEnsembleTelemetry(this WebApplicationBuilder builder)
    {
        // Of a host's configuration the exporters ask for their variables, and this host takes nothing from the environment by itself.
        builder.Configuration.AddInMemoryCollection(
            new ConfigurationBuilder().AddEnvironmentVariables().Build().AsEnumerable()
                .Where(variable => variable.Key.StartsWith(Prefix, StringComparison.Ordinal)));
        var hasCollector = !string.IsNullOrEmpty(builder.Configuration[Collector]);
        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("distributed-ensemble"))
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(Measurements.Name, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.Orleans", "System.Runtime")
                    .AddPrometheusExporter(prometheus => prometheus.ScrapeResponseCacheDurationMilliseconds = 300);
                if (hasCollector) metrics.AddOtlpExporter();
            });
        // Traces nobody collects would only cost.
        if (hasCollector)
        {
            telemetry.WithTracing(traces => traces
                .AddSource(Measurements.Name, "Microsoft.AspNetCore", "Microsoft.Orleans.Runtime", "Microsoft.Orleans.Application")
                .AddOtlpExporter());
        }
    }
}
