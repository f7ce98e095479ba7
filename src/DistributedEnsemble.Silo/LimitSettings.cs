using DistributedEnsemble.Grains;

namespace DistributedEnsemble.Silo;

/// <summary>The limits of clients as settings: ENSEMBLE__LIMITS__….</summary>
public static class LimitSettings
{
    /// <exception cref="SiloSettingsException">A limit cannot be read, or is out of range.</exception>
    public static Limits ReadLimits(this IConfiguration configuration)
    {
        Limits limits;
        try
        {
            limits = configuration.GetSection("Ensemble:Limits").Get<Limits>() ?? new Limits();
        }
        catch (InvalidOperationException exception)
        {
            throw new SiloSettingsException($"A setting of ENSEMBLE__LIMITS cannot be read: {OneLine.Of(exception.Message)}");
        }

        return limits.Fault() is { } fault ? throw new SiloSettingsException(fault) : limits;
    }
}
