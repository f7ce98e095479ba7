using DistributedEnsemble.Messages;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Serving.Answers;
using DistributedEnsemble.Serving.Authorization;
using DistributedEnsemble.Serving.Models;
using DistributedEnsemble.Serving.Telemetry;

namespace DistributedEnsemble.Serving.Inference;

/// <summary>What the Open Inference Protocol v2 and Triton's extensions say of the server and its models.</summary>
internal sealed class ModelEndpoints(ModelRepository repository, ModelStatistics statistics, HttpSettings settings)
{
    private static readonly string[] s_extensions = ["binary_tensor_data", "model_repository", "model_configuration", "statistics"];

    public const string ServerName = "DistributedEnsemble";

    public static string ServerVersion { get; } = typeof(ModelEndpoints).Assembly.GetName().Version!.ToString(3);

    public void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/v2", () => JsonAnswer.Of(new { name = ServerName, version = ServerVersion, extensions = s_extensions })).Needs(Access.Inference);
        app.MapGet("/v2/models/stats", async (string? after, CancellationToken cancellation) =>
            JsonAnswer.Of(await statistics.OfAllAsync(after, settings.MaxPageSize, cancellation))).Needs(Access.Inference);
        foreach (var path in new[] { ModelPath.Plain, ModelPath.Versioned })
        {
            app.MapGet(path, async (string name, string? version, CancellationToken cancellation) =>
                JsonAnswer.Of(ModelMetadata.Of(name, await ModelAsync(name, version, cancellation)))).Needs(Access.Inference);
            app.MapGet($"{path}/ready", (string name, string? version) => Ready(name, version)).Needs(Access.Inference);
            app.MapGet($"{path}/config", async (string name, string? version, CancellationToken cancellation) =>
                JsonAnswer.Of(ModelMetadata.Configuration(name, await ModelAsync(name, version, cancellation), settings.MaxRows))).Needs(Access.Inference);
            app.MapGet($"{path}/stats", async (string name, string? version, CancellationToken cancellation) =>
            {
                ModelPath.CheckVersion(name, version);
                return JsonAnswer.Of(await statistics.OfAsync(name, cancellation));
            }).Needs(Access.Inference);
        }
    }

    private async Task<ServedModel> ModelAsync(string name, string? version, CancellationToken cancellation)
    {
        ModelPath.CheckVersion(name, version);
        return (await repository.GetAsync(name, cancellation)).Model;
    }

    private JsonAnswer Ready(string name, string? version)
    {
        ModelPath.CheckVersion(name, version);
        repository.CheckReady(name);
        return JsonAnswer.Of(new { name, ready = true });
    }
}

/// <summary>Where a model is, with the only version that a run has.</summary>
internal static class ModelPath
{
    public const string Plain = "/v2/models/{name}", Versioned = "/v2/models/{name}/versions/{version}";

    /// <exception cref="HttpError">There is no such version.</exception>
    public static void CheckVersion(string name, string? version)
    {
        if (version is not (null or ModelMetadata.Version))
            throw HttpError.NotFound($"Model {OneLine.Quoted(name)} has no version {OneLine.Quoted(version)}: a run has the version {ModelMetadata.Version} alone.");
    }
}
