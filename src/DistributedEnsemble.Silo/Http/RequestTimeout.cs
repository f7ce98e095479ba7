namespace DistributedEnsemble.Silo.Http;

/// <summary>Ends a request that takes too long, its reading included; and one without end when the server ends, which would wait for it.</summary>
/// <param name="ending">Is cancelled when the server begins to end.</param>
internal sealed class RequestTimeout(HttpSettings settings, TimeProvider time, CancellationToken ending)
{
    private const string Item = "ensemble.timeout";

    /// <summary>Whether it was the server's patience that ended a request.</summary>
    public static bool HasPassed(HttpContext context) =>
        context.Items[Item] is CancellationToken patience && patience.IsCancellationRequested;

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<EndlessMetadata>() is not null)
        {
            using var end = ending.UnsafeRegister(static request => ((HttpContext)request!).Abort(), context);
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

/// <summary>An endpoint that answers for as long as somebody reads.</summary>
internal sealed record EndlessMetadata;
