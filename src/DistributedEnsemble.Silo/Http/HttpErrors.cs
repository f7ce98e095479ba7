using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace DistributedEnsemble.Silo.Http;

/// <summary>Turns every failure into {"error": "one line"} with its status; none shows its insides.</summary>
internal sealed class HttpErrors(HttpSettings settings, ILogger log)
{
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: StatusCodes.Status404NotFound, ContentLength: null, ContentType: null })
                throw HttpError.NotFound($"There is nothing at {OneLine.Excerpt(context.Request.Path)}: /v2, /api/runs, /metrics and /dashboard are what is here.");
            if (context.Response is { HasStarted: false, StatusCode: StatusCodes.Status405MethodNotAllowed })
                throw new HttpError(StatusCodes.Status405MethodNotAllowed, $"{OneLine.Excerpt(context.Request.Path)} takes another method than {OneLine.Excerpt(context.Request.Method)}.");
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested && !RequestTimeout.HasPassed(context))
        {
            // The client has left: nobody reads an answer.
            context.Abort();
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            await AnswerAsync(context, exception);
        }
    }

    private async Task AnswerAsync(HttpContext context, Exception exception)
    {
        var (status, message) = Describe(context, exception);
        if (status == StatusCodes.Status500InternalServerError) log.RequestFailed(exception, OneLine.Excerpt(context.Request.Path));
        if (status is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable) context.Response.Headers.RetryAfter = "1";
        context.Response.StatusCode = status;
        // The rest of a body that was refused is not read: the connection would carry it into the next request.
        if (status == StatusCodes.Status413PayloadTooLarge) context.Response.Headers.Connection = "close";
        await context.Response.WriteAsJsonAsync(new { error = message }, CancellationToken.None);
    }

    private (int Status, string Message) Describe(HttpContext context, Exception exception) => exception switch
    {
        HttpError error => (error.Status, error.Message),
        RunRejectedException refused => (StatusCodes.Status400BadRequest, OneLine.Of(Remedies.Line(refused))),
        OverloadedException => (StatusCodes.Status429TooManyRequests, exception.Message),
        QuorumException => (StatusCodes.Status503ServiceUnavailable, exception.Message),
        OperationCanceledException when RequestTimeout.HasPassed(context) =>
            (StatusCodes.Status503ServiceUnavailable, $"There was no answer within {settings.RequestTimeoutSeconds} s."),
        BadHttpRequestException bad => (bad.StatusCode, OneLine.Of(bad.Message)),
        TimeoutException or OrleansException or OperationCanceledException =>
            (StatusCodes.Status503ServiceUnavailable, "The cluster does not answer: ask again in a moment."),
        _ => (StatusCodes.Status500InternalServerError, "The server failed at this request; its log says why."),
    };
}

internal static partial class HttpLog
{
    [LoggerMessage(100, LogLevel.Error, "A request of {Path} failed.")]
    public static partial void RequestFailed(this ILogger log, Exception exception, string path);
}
