namespace DistributedEnsemble.Serving;

/// <summary>Ends a request that takes too long, its reading included; and one without end when the server ends, which would wait for it.</summary>
/// <param name="ending">Is cancelled when the server begins to end.</param>
internal sealed class RequestTimeout(HttpSettings settings, TimeProvider time, CancellationToken ending)
{
    /// <summary>Whether it was the server's patience that ended a request.</summary>
    public static bool HasPassed(HttpContext context) =>
        context.Features.Get<Patience>() is { HasPassed: true };

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<EndlessMetadata>() is not null)
        {
            using var end = ending.UnsafeRegister(static request => ((HttpContext)request!).Abort(), context);
            await next(context);
            return;
        }

        var client = context.RequestAborted;
        using var patience = new Patience(TimeSpan.FromSeconds(settings.RequestTimeoutSeconds), time);
        using var leaving = client.UnsafeRegister(static patience => ((Patience)patience!).End(), patience);
        context.RequestAborted = patience.Token;
        context.Features.Set(patience);
        try
        {
            await next(context);
        }
        finally
        {
            context.RequestAborted = client;
        }
    }

    /// <summary>Ends with the time, or when the client leaves.</summary>
    private sealed class Patience(TimeSpan time, TimeProvider provider) : CancellationTokenSource(time, provider)
    {
        private volatile bool _hasClientLeft;

        /// <summary>Whether it was the time that ended it.</summary>
        public bool HasPassed => IsCancellationRequested && !_hasClientLeft;

        public void End()
        {
            if (IsCancellationRequested) return;
            _hasClientLeft = true;
            Cancel();
        }
    }
}

/// <summary>An endpoint that answers for as long as somebody reads.</summary>
internal sealed record EndlessMetadata;
