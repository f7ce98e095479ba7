namespace DistributedEnsemble.Serving;

internal static class RequestLogs
{
    /// <summary>
    /// The log of requests begins at information, and whoever drops that needs none of it: as long as anything of it might be written, the server
    /// gives each request an activity and a scope of the log.
    /// </summary>
    public static ILoggingBuilder LeaveOutRequests(this ILoggingBuilder logs) => logs.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
}
