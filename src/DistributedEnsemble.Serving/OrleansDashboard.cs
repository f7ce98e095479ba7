using DistributedEnsemble.Serving.Authorization;
using Orleans.Dashboard;

namespace DistributedEnsemble.Serving;

/// <summary>
/// Orleans' own pages about silos, grains and calls. Every silo of a cluster collects for them, and any server shows them.
/// Calls are measured only while somebody looks.
/// </summary>
internal static class OrleansDashboard
{
    public const string Path = "/dashboard";

    public static ISiloBuilder CollectForDashboard(this ISiloBuilder silo) => silo.AddDashboard(Configure);

    /// <summary>The pages' own services, in a host beside the silo's.</summary>
    public static void AddDashboardPages(this IServiceCollection services, IGrainFactory grains)
    {
        services.AddSingleton(grains);
        new PagesOnly(services).AddDashboard(Configure);
    }

    public static void Map(IEndpointRouteBuilder app) => app.MapOrleansDashboard(Path).Needs(Access.Admin, forBrowsers: true);

    /// <summary>A log is for whoever runs the silo, not for whoever has the key.</summary>
    private static void Configure(DashboardOptions options) => options.HideTrace = true;

    /// <summary>What Orleans asks for where the pages are not in a silo's host: of a client it takes the services alone.</summary>
    private sealed class PagesOnly(IServiceCollection services) : IClientBuilder
    {
        public IServiceCollection Services => services;

        public IConfiguration Configuration { get; } = new ConfigurationManager();
    }
}
