using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Messages;

namespace DistributedEnsemble.Silo;

/// <summary>The limits of clients, and the times that silos wait, as settings: ENSEMBLE__LIMITS__… and ENSEMBLE__TIMING__….</summary>
public static class LimitSettings
{
    /// <exception cref="SiloSettingsException">A limit cannot be read, or is out of range.</exception>
    public static Limits ReadLimits(this IConfiguration configuration) => Read<Limits>(configuration, "Limits", limits => limits.Fault());

    /// <exception cref="SiloSettingsException">A time cannot be read, or does not fit the others.</exception>
    public static TimingOptions ReadTiming(this IConfiguration configuration) => Read<TimingOptions>(configuration, "Timing", timing => timing.Fault());

    private static T Read<T>(IConfiguration configuration, string section, Func<T, string?> faultOf) where T : new()
    {
        T settings;
        try
        {
            settings = configuration.GetSection($"Ensemble:{section}").Get<T>() ?? new T();
        }
        catch (InvalidOperationException exception)
        {
            throw new SiloSettingsException($"A setting of ENSEMBLE__{section.ToUpperInvariant()} cannot be read: {OneLine.Of(exception.Message)}");
        }

        return faultOf(settings) is { } fault ? throw new SiloSettingsException(fault) : settings;
    }
}
