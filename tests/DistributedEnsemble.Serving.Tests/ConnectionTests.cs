using System.Net;
using System.Net.Sockets;
using System.Text;
using DistributedEnsemble.Serving.Connections;

namespace DistributedEnsemble.Serving.Tests;

/// <summary>Connections that say nothing, or say it slowly, keep nobody out.</summary>
public sealed class ConnectionTests(ServedRuns served) : IClassFixture<ServedRuns>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("")]
    [InlineData("GET /v2/health/live HTTP/1.1\r\nHost: loc")]
    public async Task Where_silent_connections_take_every_place_the_longest_silent_one_makes_room(string said)
    {
        await using var server = await served.StartAsync(new HttpSettings { MaxConcurrentRequests = 2 });
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };
        List<TcpClient> silent = [await ConnectAsync(server, said)];
        // Those that come at once are taken in any order: when another was answered, the server has had time to see the first.
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health/live", Cancellation)).StatusCode);
        for (var i = 1; i < 8; i++) silent.Add(await ConnectAsync(server, said));

        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health/live", Cancellation)).StatusCode);

        Assert.True(await IsClosedAsync(silent[0]));
        foreach (var connection in silent) connection.Dispose();
    }

    [Fact]
    public async Task An_address_has_its_own_limit()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has all of 127.0.0.0/8 on loopback.");
        await using var server = await served.StartAsync(new HttpSettings { MaxConnectionsPerAddress = 2 });
        using var other = await ConnectAsync(server, "", "127.0.0.9");
        // They are taken in any order: any one of them makes room.
        TcpClient[] same = [await ConnectAsync(server, ""), await ConnectAsync(server, ""), await ConnectAsync(server, "")];
        var answers = same.Select(AnswerAsync).ToArray();

        var closed = await Task.WhenAny(answers);

        Assert.Null(await closed);
        foreach (var (open, answer) in same.Zip(answers).Where(pair => pair.Second != closed).Append((other, AnswerAsync(other))))
        {
            await open.GetStream().WriteAsync("GET /health/live HTTP/1.0\r\n\r\n"u8.ToArray(), Cancellation);
            Assert.Equal("HTTP/1.1 200 OK", await answer);
        }

        foreach (var connection in same) connection.Dispose();
    }

    [Fact]
    public async Task A_connection_that_is_being_answered_is_never_displaced()
    {
        await using var server = await served.StartAsync(new HttpSettings { MaxConnectionsPerAddress = 1 });
        using var answered = await ConnectAsync(server, "GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n");
        using var reader = new StreamReader(answered.GetStream());
        Assert.Equal("HTTP/1.1 200 OK", await reader.ReadLineAsync(Cancellation));

        using var next = await ConnectAsync(server, "");

        Assert.True(await IsClosedAsync(next));
        Assert.NotNull(await reader.ReadLineAsync(Cancellation));
    }

    [Theory]
    [InlineData("/v2/repository/index")]
    [InlineData("/v2/models/small/infer")]
    [InlineData("/api/session")]
    public async Task Where_bodies_that_come_slowly_take_every_place_the_one_that_takes_longest_makes_room(string path)
    {
        await using var server = await served.StartAsync(new HttpSettings { MaxConcurrentRequests = 2 });
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };
        var slow = new List<TcpClient>();
        for (var i = 0; i < 8; i++)
        {
            slow.Add(await ConnectAsync(server, $"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\n\r\n"));
            using var reader = new StreamReader(slow[i].GetStream(), leaveOpen: true);
            Assert.Equal("HTTP/1.1 100 Continue", await reader.ReadLineAsync(Cancellation));
            await slow[i].GetStream().WriteAsync("{"u8.ToArray(), Cancellation);
        }

        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health/live", Cancellation)).StatusCode);

        Assert.True(await IsClosedAsync(slow[0]));
        foreach (var connection in slow) connection.Dispose();
    }

    [Theory]
    [InlineData("")]
    [InlineData("GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n")]
    public async Task A_connection_that_stays_silent_is_closed(string said)
    {
        await using var server = await served.StartAsync(new HttpSettings { HeaderTimeoutSeconds = 1, KeepAliveSeconds = 1 });
        using var connection = await ConnectAsync(server, said);

        using var reader = new StreamReader(connection.GetStream());
        var answer = await reader.ReadToEndAsync(Cancellation);

        Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 408 ", StringComparison.Ordinal), answer);
    }

    [Theory]
    [InlineData("10.1.2.3", "10.1.2.3")]
    [InlineData("::ffff:10.1.2.3", "10.1.2.3")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::")]
    public void An_address_is_one_clients(string address, string counted) =>
        Assert.Equal(IPAddress.Parse(counted), ConnectionGate.AddressOf(new IPEndPoint(IPAddress.Parse(address), 1)));

    private static async Task<TcpClient> ConnectAsync(HttpServer server, string said, string from = "127.0.0.1")
    {
        var url = new Uri(server.Url);
        var client = new TcpClient(new IPEndPoint(IPAddress.Parse(from), 0));
        await client.ConnectAsync(url.Host, url.Port, Cancellation);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(said), Cancellation);
        return client;
    }

    /// <summary>The first line that comes; null where the server closes it.</summary>
    private static async Task<string?> AnswerAsync(TcpClient client)
    {
        try
        {
            using var reader = new StreamReader(client.GetStream(), leaveOpen: true);
            return await reader.ReadLineAsync(Cancellation);
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Whether the server closes it without a word, and before it would for its silence.</summary>
    private static async Task<bool> IsClosedAsync(TcpClient client)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        try
        {
            return await client.GetStream().ReadAsync(new byte[1], patience.Token) == 0;
        }
        catch (IOException)
        {
            return true;
        }
        catch (OperationCanceledException) when (!Cancellation.IsCancellationRequested)
        {
            return false;
        }
    }
}
