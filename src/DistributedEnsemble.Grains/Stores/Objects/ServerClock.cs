using Amazon.Runtime;

namespace DistributedEnsemble.Grains.Stores.Objects;

/// <summary>The clock of the server that says when objects were written, as its answers tell it: this machine's may differ by minutes.</summary>
internal sealed class ServerClock(TimeSpan connects, TimeProvider time) : HttpClientFactory
{
    private long _ahead;

    public DateTimeOffset Now => time.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref _ahead));

    public override HttpClient CreateHttpClient(IClientConfig clientConfig) =>
        new(new Listening(this, new SocketsHttpHandler { ConnectTimeout = connects, AllowAutoRedirect = false })) { Timeout = Timeout.InfiniteTimeSpan };

    private sealed class Listening(ServerClock clock, HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var answer = await base.SendAsync(request, cancellationToken);
            if (answer.Headers.Date is { } date) Interlocked.Exchange(ref clock._ahead, (date - clock.Time.GetUtcNow()).Ticks);
            return answer;
        }
    }

    private TimeProvider Time => time;
}
