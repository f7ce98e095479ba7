using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace DistributedEnsemble.Grains.Hosting;

/// <summary>Exceptions that leave a grain.</summary>
internal static class ExceptionsOnTheWire
{
    /// <summary>
    /// Lets any exception cross: the one that a caller knows may hold one of a library behind it, and without this the answer would be
    /// that the library's has no codec, in place of the line that says what is wrong.
    /// </summary>
    public static IServiceCollection AddExceptionsOnTheWire(this IServiceCollection services) =>
        services.Configure<ExceptionSerializationOptions>(options => options.SupportedExceptionTypeFilter = _ => true);
}
