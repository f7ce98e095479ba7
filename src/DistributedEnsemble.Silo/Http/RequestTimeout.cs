namespace DistributedEnsemble.Silo.Http;

/// <summary>Ends a request that takes too long, its reading included. Event streams last as long as somebody watches.</summary>
internal sealed class RequestTimeout(HttpSettings settings, TimeProvider time)
{
    private const string Item = "ensemble.timeout";

    /// <summary>Whether it was the server's patience that ended a request.</summary>
    public static bool HasPassed(HttpContext context) =>
        context.Items[Item] is CancellationToken patience && patience.IsCancellationRequested;

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Path.Value?.EndsWith("/events", StringComparison.Ordinal) == true)
        {
            await next(context);
            return;
        }

        var client = context.RequestAborted;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(settings.RequestTimeoutSeconds), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(client, patience.Token);
        context.RequestAborted = either.Token;
        context.Items[Item] = patience.Token;
        try
        {
            await next(context);
        }
        finally
        {
            context.RequestAborted = client;
        }
    }
}
