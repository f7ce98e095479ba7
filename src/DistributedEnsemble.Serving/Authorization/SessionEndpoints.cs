using System.Text.Json;
using DistributedEnsemble.Serving.Answers;

namespace DistributedEnsemble.Serving.Authorization;

/// <summary>Logging in with a key, for people at a browser: programs send the key with each request.</summary>
internal sealed class SessionEndpoints(ApiKeys keys, Sessions sessions, Admission admission, AdminAudit audit)
{
    private const string Path = "/api/session";

    public void Map(IEndpointRouteBuilder app)
    {
        app.MapGet(Path, (HttpContext context) => Describe(sessions.HolderOf(context.Request) ?? ApiKeys.Holder.Nobody)).Needs(Access.Anyone);
        app.MapPost(Path, (Delegate)BeginAsync).Needs(Access.Anyone);
        app.MapDelete(Path, (HttpContext context) =>
        {
            sessions.End(context);
            return Describe(ApiKeys.Holder.Nobody);
        }).Needs(Access.Anyone);
    }

    private async Task<IResult> BeginAsync(HttpContext context)
    {
        // A page of another site can send a form, and no JSON.
        if (!context.Request.HasJsonContentType()) throw HttpError.BadRequest("The body has another type than application/json: it is {\"key\":\"…\"}.");
        using var lease = admission.Bytes();
        using var body = await admission.ReadAsync(context.Request, lease, context.RequestAborted);
        var key = KeyOf(body.Bytes.Span);
        if (!sessions.Begin(context, key)) throw new HttpError(StatusCodes.Status401Unauthorized, "This key is not one of the server's.");
        var holder = keys.HolderOf(key);
        audit.Follow(context, holder.Name);
        return Describe(holder);
    }

    /// <summary>What the page may offer: whether keys are set at all, and what this browser may do.</summary>
    private JsonAnswer Describe(ApiKeys.Holder holder) => JsonAnswer.Of(new
    {
        hasKeys = keys.AreSet,
        mayRead = keys.Decide(Access.Inference, holder) == ApiKeys.Decision.Allowed,
        mayChange = keys.Decide(Access.Admin, holder) == ApiKeys.Decision.Allowed,
    });

    private static string KeyOf(ReadOnlySpan<byte> body)
    {
        try
        {
            return JsonElement.Parse(body).GetProperty("key").GetString()?.Trim() ?? "";
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw HttpError.BadRequest("The body is not {\"key\":\"…\"}.");
        }
    }
}
