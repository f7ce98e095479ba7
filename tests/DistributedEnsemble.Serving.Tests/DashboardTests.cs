using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using DistributedEnsemble.Predictions;

namespace DistributedEnsemble.Serving.Tests;

public sealed class DashboardTests(ServedRuns served) : IClassFixture<ServedRuns>
{
    private const string AdminKey = "admin-0123456789abcdef";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_shows_the_silo_its_grains_and_their_calls()
    {
        var row = ServedRuns.Rows(1);
        await served.PredictAsync(row);

        var counters = await served.Client.GetFromJsonAsync<JsonElement>("/dashboard/DashboardCounters", Cancellation);

        Assert.Equal(1, counters.GetProperty("hosts").GetArrayLength());
        Assert.Contains("AggregatorGrain", counters.GetProperty("simpleGrainStats").EnumerateArray().Select(grain => grain.GetProperty("grainType").GetString()!.Split('.')[^1]));
        Assert.Contains("<html", await served.Client.GetStringAsync("/dashboard", Cancellation), StringComparison.OrdinalIgnoreCase);
        await ServedRuns.WaitAsync(async () =>
        {
            await served.PredictAsync(row);
            var methods = await served.Client.GetFromJsonAsync<JsonElement>("/dashboard/TopGrainMethods");
            return methods.GetProperty("calls").EnumerateArray().Any(method => method.GetProperty("method").GetString() == nameof(IAggregator.PredictAsync));
        });
    }

    [Fact]
    public async Task It_does_not_show_the_log() =>
        Assert.Equal(HttpStatusCode.Forbidden, (await served.Client.GetAsync("/dashboard/Trace", Cancellation)).StatusCode);

    [Theory]
    [InlineData("/dashboard/", "anybody:" + AdminKey, 200)]
    [InlineData("/dashboard/", "anybody:wrong-0123456789ab", 401)]
    [InlineData("/dashboard/", AdminKey, 401)]
    [InlineData("/api/runs", "anybody:" + AdminKey, 401)]
    public async Task A_browser_sends_the_admin_key_as_a_password_and_to_the_dashboard_alone(string path, string credentials, int status)
    {
        await using var server = await served.StartAsync(new HttpSettings { InferenceKey = "inference-0123456789", AdminKey = AdminKey });
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials)));

        using var response = await client.GetAsync(path, Cancellation);

        Assert.Equal(status, (int)response.StatusCode);
    }

    [Fact]
    public async Task A_browser_without_the_key_is_told_to_ask_for_it()
    {
        await using var server = await served.StartAsync(new HttpSettings { AdminKey = AdminKey });
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };

        using var response = await client.GetAsync("/dashboard/", Cancellation);

        Assert.Equal("Basic realm=\"admin key as the password\", charset=\"UTF-8\"", response.Headers.WwwAuthenticate.ToString());
    }
}
