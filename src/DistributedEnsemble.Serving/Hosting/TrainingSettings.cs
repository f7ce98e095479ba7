using DistributedEnsemble.Grains.Hosting;

namespace DistributedEnsemble.Serving.Hosting;

/// <summary>
/// What a silo offers to runs as settings, the same of a silo in a process of its own and of one inside of another: ENSEMBLE__LIMITS__…,
/// ENSEMBLE__TIMING__… and ENSEMBLE__PREDICTION__….
/// </summary>
public static class TrainingSettings
{
    /// <summary>Reads them before anything starts: a silo that fails in the middle of its start says more than one line.</summary>
    /// <returns>What gives them to a silo.</returns>
    /// <exception cref="SiloSettingsException">A setting cannot be read, is out of range, or does not fit the others.</exception>
    /// <exception cref="HttpSettingsException">One of predictions is.</exception>
    public static Action<EnsembleTrainingOptions> ReadTraining(this IConfiguration configuration)
    {
        var limits = Read<Limits>(configuration, "Limits", limits => limits.Fault());
        var timing = configuration.ReadTiming();
        configuration.Configure(new PredictionOptions());
        return options =>
        {
            (options.Limits, options.Timing) = (limits, timing);
            configuration.Configure(options.Prediction);
        };
    }

    /// <exception cref="SiloSettingsException">A time cannot be read, is out of range, or does not fit the others.</exception>
    internal static TimingOptions ReadTiming(this IConfiguration configuration) => Read<TimingOptions>(configuration, "Timing", timing => timing.Fault());

    private static T Read<T>(IConfiguration configuration, string section, Func<T, string?> faultOf) where T : new()
    {
        T settings;
        try
        {
            settings = configuration.GetSection($"Ensemble:{section}").Get<T>() ?? new T();
        }
        catch (InvalidOperationException exception)
        {
            throw new SiloSettingsException(UnreadableSetting.InWords(exception, section));
        }

        return faultOf(settings) is { } fault ? throw new SiloSettingsException(fault) : settings;
    }
}
