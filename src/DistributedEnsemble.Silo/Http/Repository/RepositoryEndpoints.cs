using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;

namespace DistributedEnsemble.Silo.Http;

/// <summary>The model repository extension of the Open Inference Protocol v2: which models there are, loading and unloading.</summary>
internal sealed class RepositoryEndpoints(ModelRepository repository, Admission admission)
{
    public void Map(IEndpointRouteBuilder app)
    {
        app.MapPost("/v2/repository/index", (Delegate)IndexAsync).Needs(Access.Inference);
        app.MapPost("/v2/repository/models/{name}/load", async (string name) =>
        {
            await repository.LoadAsync(name);
            return Done();
        }).Needs(Access.Admin);
        app.MapPost("/v2/repository/models/{name}/unload", (string name) =>
        {
            repository.Unload(name);
            return Done();
        }).Needs(Access.Admin);
    }

    private async Task<Ok<IEnumerable<object>>> IndexAsync(HttpContext context)
    {
        using var body = await admission.ReadAsync(context.Request, context.RequestAborted);
        var onlyReady = body.Length > 0 && OnlyReady(body.Bytes);
        return TypedResults.Ok(repository.List().Where(model => model.IsReady || !onlyReady).Select(object (model) => new
        {
            name = model.Run.Name,
            version = ModelMetadata.Version,
            state = model.IsReady ? "READY" : "UNAVAILABLE",
            reason = model.Reason,
        }));
    }

    private static bool OnlyReady(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var json = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 8 });
            return json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("ready", out var ready) && ready.ValueKind == JsonValueKind.True;
        }
        catch (JsonException)
        {
            throw HttpError.BadRequest("The request is not JSON: it is empty, or {\"ready\": true} for the ready models alone.");
        }
    }

    private static Ok<object> Done() => TypedResults.Ok<object>(new { });
}
