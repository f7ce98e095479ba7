using DistributedEnsemble.Grains;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace DistributedEnsemble.Silo.Http;

/// <summary>Offers what the process measures: to Prometheus at /metrics, and with traces to a collector if one is named.</summary>
internal static class EnsembleTelemetry
{
    /// <summary>OpenTelemetry's own variable: the collector's address.</summary>
    private const string CollectorVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    public static void AddEnsembleTelemetry(this IServiceCollection services)
    {
        var hasCollector = !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(CollectorVariable));
        var telemetry = services.AddOpenTelemetry()
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
