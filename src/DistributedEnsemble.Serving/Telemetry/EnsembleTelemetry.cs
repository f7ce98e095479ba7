using DistributedEnsemble.Grains.Telemetry;
using DistributedEnsemble.Messages;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace DistributedEnsemble.Serving.Telemetry;

/// <summary>Offers what the process measures: to Prometheus at /metrics, and with traces to a collector if one is named.</summary>
internal static class EnsembleTelemetry
{
    /// <summary>How OpenTelemetry's own variables begin.</summary>
    private const string Prefix = "OTEL_";

    /// <summary>The collector's address.</summary>
    private const string Collector = Prefix + "EXPORTER_OTLP_ENDPOINT";

    private const string Protocol = Prefix + "EXPORTER_OTLP_PROTOCOL", Headers = Prefix + "EXPORTER_OTLP_HEADERS";

    /// <exception cref="HttpSettingsException">The exporter would not, or not as it is told, reach a collector.</exception>
    public static void Check(IConfiguration configuration)
    {
        if (configuration[Collector] is not { Length: > 0 } collector) return;
        if (!Uri.TryCreate(collector, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new HttpSettingsException($"{Collector} is {OneLine.Excerpt(collector)}: it is a collector's address, as in http://127.0.0.1:4317.");
        if (configuration[Protocol] is { Length: > 0 } protocol and not ("grpc" or "http/protobuf"))
            throw new HttpSettingsException($"{Protocol} is {OneLine.Excerpt(protocol)}: it is grpc or http/protobuf.");
        if (configuration[Headers] is { Length: > 0 } headers && headers.Split(',').Any(header => header.IndexOf('=') < 1))
            throw new HttpSettingsException($"{Headers} has another form than NAME=VALUE,NAME=VALUE.");
    }

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
