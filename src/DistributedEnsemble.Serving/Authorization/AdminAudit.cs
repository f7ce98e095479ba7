using DistributedEnsemble.Messages;

namespace DistributedEnsemble.Serving.Authorization;

/// <summary>A line in the log for each call that changes something, or would have, and each session that begins: what was asked, by which key, from where, and what came of it.</summary>
internal sealed class AdminAudit(ILogger<AdminAudit> log)
{
    private const string Status = "ensemble.audit.status", Model = "ensemble.audit.model";

    /// <summary>What a call came to whose answer's own status does not say it.</summary>
    public static void CameTo(HttpContext context, int status) => context.Items[Status] = status;

    /// <summary>Which model a call is about whose path does not say it.</summary>
    public static void Names(HttpContext context, string model) => context.Items[Model] = model;

    /// <param name="key">Names the key without showing it; null if there was none.</param>
    public void Follow(HttpContext context, string? key) => context.Response.OnCompleted(() =>
    {
        log.AdminCall(
            OneLine.Excerpt(context.Request.Method), PathOf(context), $"{context.Connection.RemoteIpAddress}", key ?? "none",
            context.Items[Status] as int? ?? context.Response.StatusCode);
        return Task.CompletedTask;
    });

    private static string PathOf(HttpContext context) =>
        OneLine.Excerpt(context.Request.Path) + (context.Items[Model] is string model ? $" of {OneLine.Quoted(model)}" : "");
}

internal static partial class AuditLog
{
    [LoggerMessage(101, LogLevel.Information, "{Method} {Path} from {Address} with key {Key}: {Status}.")]
    public static partial void AdminCall(this ILogger log, string method, string path, string address, string key, int status);
}
