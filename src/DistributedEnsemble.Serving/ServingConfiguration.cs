using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Serving.Authorization;
using DistributedEnsemble.Serving.Hosting;
using DistributedEnsemble.Serving.Telemetry;

namespace DistributedEnsemble.Serving;

/// <summary>The settings of serving, from environment variables and files: ENSEMBLE__SERVING__… and ENSEMBLE__PREDICTION__….</summary>
public static class ServingConfiguration
{
    private const string Root = "Ensemble";

    public static IConfiguration OfEnvironment() => new ConfigurationBuilder().AddEnvironmentVariables().Build();

    /// <summary>Where the settings say that HTTP is served; null if they do not.</summary>
    public static string? ServingUrl(this IConfiguration configuration) =>
        configuration[$"{Root}:Serving:{nameof(HttpSettings.Url)}"] is { Length: > 0 } url ? url : null;

    /// <param name="url">Where to serve; null leaves it to the configuration.</param>
    /// <param name="grpcUrl">Where to serve gRPC; null leaves it to the configuration.</param>
    /// <exception cref="HttpSettingsException">A setting cannot be read, or cannot be served with.</exception>
    public static HttpSettings ReadHttpSettings(this IConfiguration configuration, string? url, string? grpcUrl)
    {
        var settings = Read(configuration, "Serving", new HttpSettings(), (section, empty) => section.Get<HttpSettings>() ?? empty);
        settings = settings with { Url = url ?? settings.Url, GrpcUrl = grpcUrl ?? settings.GrpcUrl };
        if (configuration[$"{Root}:Serving:{nameof(settings.Hosts)}"] is { Length: > 0 } hosts)
            throw new HttpSettingsException($"{HttpSettingsCheck.Name(nameof(settings.Hosts))} is {OneLine.Excerpt(hosts)}: it is a list, whose first is {HttpSettingsCheck.Name(nameof(settings.Hosts))}__0.");
        HttpSettingsCheck.Of(settings);
        EnsembleTelemetry.Check(configuration);
        return settings;
    }

    /// <exception cref="HttpSettingsException">A setting cannot be read, or is out of range.</exception>
    public static void Configure(this IConfiguration configuration, PredictionOptions options)
    {
        Read(configuration, "Prediction", options, (section, given) =>
        {
            section.Bind(given);
            return given;
        });
        Check("max_batch_size", options.MaxBatchSize, options.MaxBatchSize is >= 1 and <= 65536, "a whole number from 1 to 65536");
        Check("max_queue_delay_microseconds", options.MaxQueueDelayMicroseconds, options.MaxQueueDelayMicroseconds is >= 0 and <= 10_000_000, "a whole number from 0 to 10000000");
        Check("max_queue_size", options.MaxQueueSize, options.MaxQueueSize is >= 1 and <= 1_000_000, "a whole number from 1 to 1000000");
        Check(nameof(options.Threads), options.Threads, options.Threads is >= 1 and <= 1024, "a whole number from 1 to 1024");
        Check(nameof(options.CacheBytes), options.CacheBytes, options.CacheBytes >= 0, "a whole number of bytes from 0");
        Check(nameof(options.Quorum), options.Quorum, options.Quorum is > 0 and <= 1, "a share above 0 and up to 1");
        Check(nameof(options.EarlyExit), options.EarlyExit, options.EarlyExit is >= 0 and < 1, "a probability from 0, which asks all members, and below 1");
        Check(nameof(options.MemberTimeout), options.MemberTimeout, options.MemberTimeout > TimeSpan.Zero && options.MemberTimeout <= TimeSpan.FromHours(1),
            "a time up to an hour, as in 00:00:05");
    }

    private static T Read<T>(IConfiguration configuration, string section, T given, Func<IConfigurationSection, T, T> read)
    {
        try
        {
            return read(configuration.GetSection($"{Root}:{section}"), given);
        }
        catch (InvalidOperationException exception)
        {
            throw new HttpSettingsException(UnreadableSetting.InWords(exception, section));
        }
    }

    private static void Check<T>(string name, T value, bool isValid, string rule)
    {
        if (!isValid) throw new HttpSettingsException($"ENSEMBLE__PREDICTION__{name.ToUpperInvariant()} is {value}: it must be {rule}.");
    }
}
