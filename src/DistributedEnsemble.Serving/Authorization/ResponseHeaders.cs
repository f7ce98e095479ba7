namespace DistributedEnsemble.Serving.Authorization;

/// <summary>What browsers are told of every answer: its type is what it says, and no page of others has it in a frame.</summary>
internal static class ResponseHeaders
{
    public static Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.ContentSecurityPolicy = "frame-ancestors 'none'";
        headers.XFrameOptions = "DENY";
        return next(context);
    }
}
