using DistributedEnsemble.Serving.Authorization;
using DistributedEnsemble.Serving.Inference;
using DistributedEnsemble.Serving.Models;
using Grpc.Reflection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace DistributedEnsemble.Serving.Rpc;

/// <summary>What is served over gRPC: predictions, health for probes, and reflection for clients without the protocol's file.</summary>
internal static class RpcEndpoints
{
    private const string Service = "inference.GRPCInferenceService";

    public static void AddRpc(this IServiceCollection services, InferenceService inference, ModelRepository repository, HttpSettings settings)
    {
        services.AddSingleton(settings);
        services.AddSingleton<RpcErrors>();
        services.AddSingleton(provider => new OpenInferenceService(inference, repository, provider.GetRequiredService<Readiness>(), settings));
        var grpc = services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = settings.MaxBodyBytes;
            // Answers are not packed, and what comes packed is refused before.
            grpc.CompressionProviders.Clear();
            grpc.MaxSendMessageSize = null;
            // Its endpoint for unknown services would take every request of two parts, whatever its method, from HTTP's own.
            grpc.IgnoreUnknownServices = true;
            grpc.Interceptors.Add<RpcErrors>();
        });
        // Whoever may send as many messages as they like sends short ones.
        grpc.AddServiceOptions<ReflectionServiceImpl>(reflection => reflection.MaxReceiveMessageSize = RpcCalls.MostWatched);
        grpc.AddServiceOptions<ReflectionV1ServiceImpl>(reflection => reflection.MaxReceiveMessageSize = RpcCalls.MostWatched);
        services.AddGrpcReflection();
        services.AddGrpcHealthChecks(health => health.Services.Map(Service, _ => true)).AddCheck<ClusterHealth>("cluster");
    }

    public static void MapRpc(this IEndpointRouteBuilder app)
    {
        app.MapGrpcService<OpenInferenceService>().Add(OpenInferenceService.Guard);
        app.MapGrpcHealthChecksService().WithMetadata(new EndlessMetadata()).Needs(Access.Anyone);
        app.MapGrpcReflectionService().Needs(Access.Inference);
    }

    private sealed class ClusterHealth(Readiness readiness) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            await readiness.FailureAsync(cancellationToken) is { } failure ? HealthCheckResult.Unhealthy(failure) : HealthCheckResult.Healthy();
    }
}
