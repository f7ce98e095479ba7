using DistributedEnsemble.Messages;

namespace DistributedEnsemble.Silo.Http.Authorization;

/// <summary>A line in the log for each call that changes something, or would have: what was asked, by which key, from where, and what came of it.</summary>
internal sealed class AdminAudit(ILogger<AdminAudit> log)
{
    /// <param name="key">Names the key without showing it; null if there was none.</param>
    public void Follow(HttpContext context, string? key) => context.Response.OnCompleted(() =>
    {
        log.AdminCall(
            OneLine.Excerpt(context.Request.Method), OneLine.Excerpt(context.Request.Path), $"{context.Connection.RemoteIpAddress}", key ?? "none",
            context.Response.StatusCode);
        return Task.CompletedTask;
    });
}

internal static partial class AuditLog
{
    [LoggerMessage(101, LogLevel.Information, "{Method} {Path} from {Address} with key {Key}: {Status}.")]
    public static partial void AdminCall(this ILogger log, string method, string path, string address, string key, int status);
}
