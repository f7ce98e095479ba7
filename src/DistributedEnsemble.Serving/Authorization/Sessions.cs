namespace DistributedEnsemble.Serving.Authorization;

/// <summary>The cookie of the page's sessions: scripts cannot read it, and no other site's request carries it.</summary>
internal sealed class Sessions(ApiKeys keys, bool isSecure, TimeProvider time)
{
    private static readonly TimeSpan s_length = TimeSpan.FromHours(12);

    /// <returns>Null for a request without a session.</returns>
    public ApiKeys.Holder? HolderOf(HttpRequest request) =>
        request.Headers.Cookie.Count > 0 && SessionToken.Parse(request.Cookies[NameFor(request)], time.GetUtcNow()) is { } token ? keys.HolderOf(token) : null;

    /// <returns>Whether the key is one; another changes nothing.</returns>
    public bool Begin(HttpContext context, string key)
    {
        if (keys.Begin(key, time.GetUtcNow() + s_length) is not { } token) return false;
        context.Response.Cookies.Append(NameFor(context.Request), token.ToString(), Options(s_length));
        return true;
    }

    public void End(HttpContext context) => context.Response.Cookies.Append(NameFor(context.Request), "", Options(TimeSpan.Zero));

    /// <summary>A cookie is sent to every port of a host: servers side by side each have their own.</summary>
    private static string NameFor(HttpRequest request) => request.Host.Port is { } port ? $"ensemble-session-{port}" : "ensemble-session";

    private CookieOptions Options(TimeSpan age) => new()
    {
        HttpOnly = true, SameSite = SameSiteMode.Strict, Secure = isSecure, Path = "/", MaxAge = age, IsEssential = true,
    };
}
