using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Silo.Http.Answers;
using DistributedEnsemble.Silo.Http.Authorization;

namespace DistributedEnsemble.Silo.Http;

/// <summary>Probes: whether the process lives, which asks no grain, and whether the cluster answers.</summary>
internal static class HealthEndpoints
{
    public static void Map(IEndpointRouteBuilder app, IGrainFactory grains)
    {
        foreach (var root in new[] { "/v2/health", "/health" })
        {
            app.MapGet($"{root}/live", () => JsonAnswer.Of(new { live = true })).Needs(Access.Anyone);
            app.MapGet($"{root}/ready", async (HttpContext context) =>
            {
                await grains.GetGrain<IScheduler>(IScheduler.Key).ListAsync().WaitAsync(context.RequestAborted);
                // KServe answers "ready", the specification's example "live".
                return JsonAnswer.Of(new { ready = true, live = true });
            }).Needs(Access.Anyone);
        }
    }
}
