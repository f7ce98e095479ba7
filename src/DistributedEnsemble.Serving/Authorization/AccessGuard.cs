using System.Text;
using DistributedEnsemble.Messages;
using Microsoft.Net.Http.Headers;

namespace DistributedEnsemble.Serving.Authorization;

/// <summary>
/// Refuses who may not ask: a page of a foreign origin, a name that was bent to loopback, and whoever lacks the endpoint's key.
/// </summary>
internal sealed class AccessGuard(HttpSettingsCheck check, Sessions sessions, AdminAudit audit)
{
    private const string KeyHeader = "X-Api-Key", Bearer = "Bearer ", Basic = "Basic ";
    private static readonly string[] s_loopback = ["localhost", "127.0.0.1", "[::1]"];

    private readonly IReadOnlyList<string> _hosts =
        check.Settings.Hosts is { Count: > 0 } named ? named
        : check.IsLoopback && !check.Settings.BehindProxy ? [.. s_loopback.Concat(check.Listeners.Select(listener => new Uri(listener.Url).Host)).Distinct()]
        : [];

    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var (access, isForBrowsers) = context.GetEndpoint()?.Metadata.GetMetadata<AccessMetadata>() ?? new AccessMetadata(Access.Admin);
        CheckHost(context.Request, access);
        CheckOrigin(context.Request);
        CheckSite(context.Request, isForBrowsers);
        if (context.GetEndpoint() is null) return next(context);
        var (key, isTyped) = KeyOf(context.Request, isForBrowsers);
        var holder = key is null ? OfSession(context.Request) : check.Keys.HolderOf(key);
        var decision = check.Keys.Decide(access, holder);
        if (access == Access.Admin && !HttpMethods.IsGet(context.Request.Method) && decision != ApiKeys.Decision.Unknown) audit.Follow(context, holder.Name);
        if (decision == ApiKeys.Decision.Allowed) return next(context);
        // A browser asks its user for another key at 401 alone.
        if (decision == ApiKeys.Decision.Insufficient && !isTyped)
            throw HttpError.Forbidden("This needs an admin key, and the key that was sent is for predictions.");
        context.Response.Headers.WWWAuthenticate = isForBrowsers ? "Basic realm=\"admin key as the password\", charset=\"UTF-8\"" : "Bearer";
        throw new HttpError(
            StatusCodes.Status401Unauthorized,
            $"This needs {(access == Access.Admin ? "an admin" : "an inference")} key: send it as \"Authorization: Bearer KEY\" or \"{KeyHeader}: KEY\".");
    }

    /// <summary>A browser always says the name that it asked for; probes of load balancers say none.</summary>
    private void CheckHost(HttpRequest request, Access access)
    {
        if (access == Access.Anyone && !request.Host.HasValue) return;
        if (_hosts.Count > 0 && !_hosts.Contains(request.Host.Host, StringComparer.OrdinalIgnoreCase))
            throw HttpError.Forbidden($"The Host {OneLine.Quoted(request.Host.Host)} is not served here: use {string.Join(", ", _hosts)}.");
    }

    /// <summary>A browser says which page asks, by scheme, host and port; programs say nothing.</summary>
    private void CheckOrigin(HttpRequest request)
    {
        if (!request.Headers.TryGetValue(HeaderNames.Origin, out var origin)) return;
        var isOwn = Uri.TryCreate(origin, UriKind.Absolute, out var uri)
            && (uri.Scheme == request.Scheme || (check.Settings.BehindProxy && uri.Scheme == Uri.UriSchemeHttps))
            && Uri.TryCreate($"{uri.Scheme}://{request.Host}", UriKind.Absolute, out var own)
            && uri.Authority == own.Authority;
        if (!isOwn) throw HttpError.Forbidden($"The origin {OneLine.Quoted(origin)} is foreign: other sites' pages may not ask.");
    }

    /// <summary>
    /// A browser also says whether the page that asks is of this site; it says so where it sends no origin, as for scripts and images.
    /// Following a link to a page is no harm.
    /// </summary>
    private static void CheckSite(HttpRequest request, bool isForBrowsers)
    {
        if (request.Headers["Sec-Fetch-Site"].ToString() is "" or "same-origin" or "none") return;
        if (isForBrowsers && HttpMethods.IsGet(request.Method) && request.Headers["Sec-Fetch-Mode"] == "navigate" && request.Headers["Sec-Fetch-Dest"] == "document") return;
        throw HttpError.Forbidden($"Sec-Fetch-Site is {OneLine.Quoted(request.Headers["Sec-Fetch-Site"])}: other sites' pages may not ask.");
    }

    /// <summary>A browser sends a session's cookie by itself: what changes something must show that the server's own page asks.</summary>
    private ApiKeys.Holder OfSession(HttpRequest request)
    {
        if (sessions.HolderOf(request) is not { } holder) return ApiKeys.Holder.Nobody;
        var isOwnPage = request.Headers.ContainsKey(HeaderNames.Origin) || request.Headers["Sec-Fetch-Site"] == "same-origin";
        return HttpMethods.IsGet(request.Method) || isOwnPage ? holder
            : throw HttpError.Forbidden("A session's request that changes something comes from the server's own page, and says so in its Origin: send the key itself instead.");
    }

    private static (string? Key, bool IsTyped) KeyOf(HttpRequest request, bool isForBrowsers) =>
        request.Headers.TryGetValue(KeyHeader, out var key) ? (key.ToString(), false)
        : request.Headers.Authorization.ToString() is var header && header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
            ? (header[Bearer.Length..].Trim(), false)
        : isForBrowsers && header.StartsWith(Basic, StringComparison.OrdinalIgnoreCase) ? (PasswordOf(header[Basic.Length..].Trim()), true)
        : (null, false);

    /// <summary>Of USER:PASSWORD in base 64, as a browser sends what its user typed.</summary>
    private static string? PasswordOf(string credentials)
    {
        var bytes = new byte[credentials.Length];
        return Convert.TryFromBase64String(credentials, bytes, out var length) && Encoding.UTF8.GetString(bytes, 0, length).Split(':', 2) is [_, var password]
            ? password
            : null;
    }
}

/// <param name="IsForBrowsers">
/// Whether a browser may ask its user for the key. It sends the key again by itself, so nothing that changes a state takes it.
/// </param>
internal sealed record AccessMetadata(Access Access, bool IsForBrowsers = false);

internal static class AccessExtensions
{
    public static TBuilder Needs<TBuilder>(this TBuilder endpoint, Access access, bool forBrowsers = false) where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new AccessMetadata(access, forBrowsers));
}
