using DistributedEnsemble.Serving.Answers;
using DistributedEnsemble.Serving.Authorization;

namespace DistributedEnsemble.Serving;

/// <summary>Probes: whether the process lives, which asks nobody, and whether the cluster and its store answer.</summary>
internal static class HealthEndpoints
{
    public static void Map(IEndpointRouteBuilder app, Readiness readiness)
    {
        foreach (var root in new[] { "/v2/health", "/health" })
        {
            app.MapGet($"{root}/live", () => JsonAnswer.Of(new { live = true })).Needs(Access.Anyone);
            app.MapGet($"{root}/ready", async (HttpContext context) =>
            {
                if (await readiness.FailureAsync(context.RequestAborted) is { } failure) throw HttpError.Unavailable(failure);
                // KServe answers "ready", the specification's example "live".
                return JsonAnswer.Of(new { ready = true, live = true });
            }).Needs(Access.Anyone);
        }
    }
}
