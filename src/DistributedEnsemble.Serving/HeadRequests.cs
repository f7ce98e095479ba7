namespace DistributedEnsemble.Serving;

/// <summary>HEAD wherever GET is: the same answer, whose body the server keeps to itself.</summary>
internal static class HeadRequests
{
    private const string Item = "ensemble.head";

    public static Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (HttpMethods.IsHead(context.Request.Method))
        {
            context.Request.Method = HttpMethods.Get;
            context.Items[Item] = true;
        }

        return next(context);
    }

    /// <summary>Whether nobody reads the body.</summary>
    public static bool IsHead(HttpContext context) => context.Items.ContainsKey(Item);
}
