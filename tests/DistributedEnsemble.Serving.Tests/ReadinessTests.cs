using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using DistributedEnsemble.Grains.Stores.Objects;
using DistributedEnsemble.Tests.Objects;
using Microsoft.Extensions.Time.Testing;

namespace DistributedEnsemble.Serving.Tests;

/// <summary>A silo with a store of objects is ready when its store is, with patience.</summary>
public sealed class ReadinessTests(ServedRuns served) : IClassFixture<ServedRuns>, IAsyncLifetime
{
    private static readonly TimeSpan s_tick = TimeSpan.FromSeconds(5);

    private readonly TemporaryFolder _scratch = new();
    private readonly StrictObjectServer _store = new();
    private readonly FakeTimeProvider _time = new();
    private readonly HttpClient _client = new();
    private ObjectStorage _objects = null!;
    private HttpServer _server = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _objects = _store.Open("runs", _scratch.Path, _time);
        _server = await HttpServer.StartAsync(served.Grains, _objects, new HttpSettings { Url = "http://127.0.0.1:0" }, cancellation: Cancellation);
        _client.BaseAddress = new Uri(_server.Url);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
        _objects.Dispose();
        await _store.DisposeAsync();
        _scratch.Dispose();
    }

    [Fact]
    public async Task A_store_that_takes_no_writes_is_seen_when_one_was_refused_a_minute_ago_and_a_store_that_does_again_at_once()
    {
        Assert.Equal(HttpStatusCode.OK, await AskAsync());
        _store.Fault = request => request.Method == "PUT" ? new ObjectFault(507, "InsufficientStorage") : null;
        Assert.Throws<IOException>(() => _objects.Write("small/file", new byte[1]));

        var since = _time.GetUtcNow();
        while (await AskAsync() == HttpStatusCode.OK)
        {
        }

        Assert.InRange(_time.GetUtcNow() - since, TimeSpan.FromMinutes(1), TimeSpan.MaxValue);
        using (var answer = await _client.GetAsync("/health/ready", Cancellation))
        {
            Assert.Equal(
                "The store of the runs has not done what it is asked for a minute: the log says what it answers.",
                (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error").GetString());
        }

        // It hears what the store says when a look has come to its end.
        while (_objects.Refusal?.StartsWith($"s3://ensemble/runs: {_store.Url} ", StringComparison.Ordinal) != true)
        {
            _time.Advance(s_tick);
            await Task.Delay(20, Cancellation);
        }

        using (var live = await _client.GetAsync("/health/live", Cancellation)) Assert.Equal(HttpStatusCode.OK, live.StatusCode);

        _store.Fault = null;
        while (!await IsReadyBeforeTheNextTickAsync())
        {
        }

        // The look removes what it writes.
        while (_store.Names.Count > 0) await Task.Delay(10, Cancellation);
    }

    [Fact]
    public async Task A_store_that_only_hangs_is_seen_too_before_any_request_has_come_to_an_end()
    {
        Assert.Equal(HttpStatusCode.OK, await AskAsync());
        _store.Fault = _ => ObjectFault.Hung;

        var since = _time.GetUtcNow();
        while (await AskAsync() == HttpStatusCode.OK)
        {
        }

        Assert.InRange(_time.GetUtcNow() - since, TimeSpan.FromMinutes(1), TimeSpan.MaxValue);
    }

    /// <summary>A clock that only moves now and then: a look that goes well needs some time, too.</summary>
    private async Task<bool> IsReadyBeforeTheNextTickAsync()
    {
        for (var i = 0; i < 50; i++)
        {
            if (await AskAsync(i == 0 ? s_tick : TimeSpan.Zero) == HttpStatusCode.OK) return true;
            await Task.Delay(20, Cancellation);
        }

        return false;
    }

    private Task<HttpStatusCode> AskAsync() => AskAsync(s_tick);

    /// <summary>Asks as a probe does, each few seconds; none waits for the store.</summary>
    private async Task<HttpStatusCode> AskAsync(TimeSpan later)
    {
        _time.Advance(later);
        using var answer = await _client.GetAsync("/health/ready", Cancellation);
        return answer.StatusCode;
    }
}
