using System.Net;
using DistributedEnsemble.Serving.Page;

namespace DistributedEnsemble.Serving.Tests;

/// <summary>The live page's files.</summary>
public sealed class PageFilesTests(ServedRuns served) : IClassFixture<ServedRuns>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void All_of_the_page_is_at_most_100_kilobytes_on_the_way() => Assert.InRange(new PageFiles().CompressedBytes, 10_000, 100_000);

    [Fact]
    public async Task Anybody_gets_the_page_and_nothing_in_it_runs_but_the_servers_own_files()
    {
        await using var server = await served.StartAsync(new HttpSettings { InferenceKey = "inference-0123456789" });
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };

        using var page = await client.GetAsync("/", Cancellation);

        Assert.Equal((HttpStatusCode.OK, "text/html"), (page.StatusCode, page.Content.Headers.ContentType?.MediaType));
        var policy = Assert.Single(page.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("default-src 'none'; script-src 'self'; style-src 'self';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_has_not_changed_is_not_sent_again()
    {
        using var first = await served.Client.GetAsync("/page/app.js", Cancellation);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/page/app.js");
        request.Headers.IfNoneMatch.Add(first.Headers.ETag!);

        using var again = await served.Client.SendAsync(request, Cancellation);

        Assert.Equal((HttpStatusCode.NotModified, 0), (again.StatusCode, (await again.Content.ReadAsByteArrayAsync(Cancellation)).Length));
    }

    [Theory]
    [InlineData("/page/nothing.js")]
    [InlineData("/page/../run.json")]
    [InlineData("/page/%2e%2e%2fDistributedEnsemble.Serving.csproj")]
    public async Task Nothing_else_is_there(string path) => Assert.Equal(HttpStatusCode.NotFound, (await served.Client.GetAsync(path, Cancellation)).StatusCode);
}
