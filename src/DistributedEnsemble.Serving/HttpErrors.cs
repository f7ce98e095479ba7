using DistributedEnsemble.Messages;
using DistributedEnsemble.Serving.Answers;
using DistributedEnsemble.Serving.Rpc;
using Microsoft.AspNetCore.WebUtilities;

namespace DistributedEnsemble.Serving;

/// <summary>Turns every failure into {"error": "one line"} with its status; none shows its insides.</summary>
internal sealed class HttpErrors(HttpSettings settings, ILogger log)
{
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: >= 400, ContentLength: null, ContentType: null }) throw Bare(context);
        }
        catch (Exception exception)
        {
            await AnswerAsync(context, exception);
        }
    }

    /// <summary>A status that somebody set without a word about it.</summary>
    private static HttpError Bare(HttpContext context) => RpcStatus.IsCall(context.Request) && context.GetEndpoint() is null
        ? new HttpError(StatusCodes.Status405MethodNotAllowed, $"There is no method {OneLine.Excerpt(context.Request.Path)} here.")
        : new HttpError(context.Response.StatusCode, context.Response.StatusCode switch
    {
        StatusCodes.Status404NotFound =>
            $"There is nothing at {OneLine.Excerpt(context.Request.Path)}: /v2, /api/runs, /metrics and /dashboard are what is here.",
        StatusCodes.Status405MethodNotAllowed =>
            $"{OneLine.Excerpt(context.Request.Path)} takes another method than {OneLine.Excerpt(context.Request.Method)}.",
        var status => $"{ReasonPhrases.GetReasonPhrase(status)}.",
    });

    private async Task AnswerAsync(HttpContext context, Exception exception)
    {
        var failure = HttpFailure.Of(context, exception, settings.RequestTimeoutSeconds);
        failure.Log(log, exception, context.Request);
        // Nobody reads an answer any more, or half of another one is on its way.
        if (failure.Status == 0 || context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        if (RpcStatus.IsCall(context.Request))
        {
            RpcStatus.Write(context, failure);
            return;
        }

        var headers = context.Response.Headers;
        (headers.ContentEncoding, headers.ContentLength) = (default, null);
        if (failure.Status is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable) headers.RetryAfter = "1";
        if (failure.Status == StatusCodes.Status415UnsupportedMediaType) headers.AcceptEncoding = ContentCoding.Names;
        // The rest of a body that was refused is not read: the connection would carry it into the next request.
        if (failure.Status == StatusCodes.Status413PayloadTooLarge) headers.Connection = "close";
        await JsonAnswer.Of(new { error = failure.Message }, failure.Status).ExecuteAsync(context);
    }
}

internal static partial class HttpLog
{
    [LoggerMessage(100, LogLevel.Error, "A request of {Path} failed.")]
    public static partial void RequestFailed(this ILogger log, Exception exception, string path);
}
