using DistributedEnsemble.Serving.Answers;
using DistributedEnsemble.Serving.Authorization;
using DistributedEnsemble.Serving.Inference;

namespace DistributedEnsemble.Serving.Models;

/// <summary>The model repository extension of the Open Inference Protocol v2: which models there are, loading and unloading.</summary>
internal sealed class RepositoryEndpoints(ModelRepository repository, Admission admission, HttpSettings settings)
{
    public void Map(IEndpointRouteBuilder app)
    {
        app.MapPost("/v2/repository/index", (Delegate)((HttpContext context) => ReadAsync(context, body =>
        {
            var onlyReady = RepositoryRequest.OnlyReady(body);
            var page = repository.List(context.Request.Query["after"]).Where(model => model.IsReady || !onlyReady).Take(settings.MaxPageSize);
            return Task.FromResult(JsonAnswer.Of(page.Select(model => new
            {
                name = model.Run.Name,
                version = ModelMetadata.Version,
                state = model.StateInWords,
                reason = model.Reason,
            })));
        }))).Needs(Access.Inference);
        app.MapPost("/v2/repository/models/{name}/load", (HttpContext context, string name) => ReadAsync(context, async body =>
        {
            RepositoryRequest.CheckNothingAsked(body, harmless: null);
            await repository.LoadAsync(name, context.RequestAborted);
            return JsonAnswer.Of(new { });
        })).Needs(Access.Admin);
        app.MapPost("/v2/repository/models/{name}/unload", (HttpContext context, string name) => ReadAsync(context, body =>
        {
            RepositoryRequest.CheckNothingAsked(body, RepositoryRequest.UnloadDependents);
            repository.Unload(name);
            return Task.FromResult(JsonAnswer.Of(new { }));
        })).Needs(Access.Admin);
    }

    private async Task<JsonAnswer> ReadAsync(HttpContext context, Func<ReadOnlyMemory<byte>, Task<JsonAnswer>> answer)
    {
        using var lease = admission.Bytes();
        using var body = await admission.ReadAsync(context.Request, lease, context.RequestAborted);
        return await answer(body.Bytes);
    }
}
