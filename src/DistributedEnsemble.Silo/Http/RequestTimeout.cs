namespace DistributedEnsemble.Silo.Http;

/// <summary>Ends a request that takes too long, its reading included. Event streams last as long as somebody watches.</summary>
internal sealed class RequestTimeout(HttpSettings settings, TimeProvider time)
{
    public const string HasPassed = "ensemble.timeout";

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
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !client.IsCancellationRequested)
        {
            context.Items[HasPassed] = true;
            throw;
        }
        finally
        {
            context.RequestAborted = client;
        }
    }
}
