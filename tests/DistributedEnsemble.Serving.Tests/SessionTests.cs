using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using DistributedEnsemble.Serving.Authorization;
using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Serving.Tests;

/// <summary>Sessions: what a browser's cookie opens, and what it does not.</summary>
public sealed class SessionTests(ServedRuns served) : IClassFixture<ServedRuns>
{
    private const string InferenceKey = "inference-0123456789", AdminKey = "admin-0123456789abcdef";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_session_opens_what_its_key_opens_to_the_servers_own_page_alone()
    {
        await using var server = await served.StartAsync(new HttpSettings { InferenceKey = InferenceKey, AdminKey = AdminKey });
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };
        using var begun = await client.PostAsJsonAsync("/api/session", new { key = AdminKey }, Cancellation);
        var cookie = Assert.Single(begun.Headers.GetValues("Set-Cookie"));

        Assert.Contains("; httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("; samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(AdminKey, cookie, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync("GET", "/api/runs"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync("POST", "/api/runs/small/stop", ("Origin", server.Url.TrimEnd('/'))));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync("POST", "/api/runs/small/stop", ("Sec-Fetch-Site", "same-origin")));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync("POST", "/api/runs/small/stop"));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync("POST", "/api/runs/small/stop", ("Origin", "http://127.0.0.1:1")));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync("POST", "/api/runs/small/stop", ("Sec-Fetch-Site", "same-site")));

        async Task<HttpStatusCode> StatusAsync(string method, string path, params (string Name, string Value)[] headers)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            request.Headers.Add("Cookie", cookie.Split(';')[0]);
            foreach (var (name, value) in headers) request.Headers.Add(name, value);
            using var response = await client.SendAsync(request, Cancellation);
            return response.StatusCode;
        }
    }

    [Theory]
    [InlineData("""{"key":"wrong-0123456789"}""", 401, "This key is not one of the server's.")]
    [InlineData("""{"key":""}""", 401, "This key is not one of the server's.")]
    [InlineData("""{"password":"x"}""", 400, "The body is not {\"key\":\"…\"}.")]
    [InlineData("""[]""", 400, "The body is not {\"key\":\"…\"}.")]
    public async Task Without_a_key_there_is_no_session(string body, int status, string message)
    {
        await using var server = await served.StartAsync(new HttpSettings { InferenceKey = InferenceKey });
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };

        using var response = await client.PostAsync("/api/session", new StringContent(body, null, "application/json"), Cancellation);

        Assert.Equal((status, message), ((int)response.StatusCode, (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error").GetString()));
        Assert.False(response.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task A_session_that_begins_leaves_a_line_with_the_name_of_its_key()
    {
        var log = new ConcurrentQueue<string>();
        await using var server = await HttpServer.StartAsync(
            served.Grains, served.RunsFolder, new HttpSettings { Url = "http://127.0.0.1:0", InferenceKey = InferenceKey, AdminKey = AdminKey },
            logs: logs => logs.AddProvider(new LogLines(log)), cancellation: Cancellation);
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };

        using var refused = await client.PostAsJsonAsync("/api/session", new { key = "wrong-0123456789" }, Cancellation);
        using var begun = await client.PostAsJsonAsync("/api/session", new { key = AdminKey }, Cancellation);

        await ServedRuns.WaitAsync(() => Task.FromResult(Lines().Length > 0));
        Assert.Equal($"{HttpServer.AuditCategory}: POST /api/session from 127.0.0.1 with key {ApiKeys.NameOf(AdminKey)}: 200.", Assert.Single(Lines()));

        string[] Lines() => [.. log.Where(line => line.StartsWith(HttpServer.AuditCategory, StringComparison.Ordinal))];
    }

    [Fact]
    public async Task A_form_of_another_site_begins_no_session()
    {
        await using var server = await served.StartAsync(new HttpSettings { InferenceKey = InferenceKey });
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };

        using var response = await client.PostAsync("/api/session", new StringContent($$"""{"key":"{{InferenceKey}}"}""", null, "text/plain"), Cancellation);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public void A_session_ends_and_cannot_be_made_longer()
    {
        var now = DateTimeOffset.UnixEpoch.AddYears(60);
        var keys = ApiKeys.Read(new HttpSettings { AdminKey = AdminKey });
        var token = keys.Begin(AdminKey, now.AddHours(1))!;
        var text = token.ToString();

        Assert.True(keys.HolderOf(SessionToken.Parse(text, now)!).IsAdmin);
        var longer = $"{token.End + 3600}.{text.Split('.')[1]}";
        Assert.False(keys.HolderOf(SessionToken.Parse(longer, now)!).IsAdmin);
        Assert.False(ApiKeys.Read(new HttpSettings { AdminKey = "another-0123456789" }).HolderOf(token).IsAdmin);
        Assert.Null(SessionToken.Parse(text, now.AddHours(1)));
        Assert.All(["", "x", "1.", "99999999999.x", $"{text}x", $".{text}"], wrong => Assert.Null(SessionToken.Parse(wrong, DateTimeOffset.UnixEpoch)));
    }
}
