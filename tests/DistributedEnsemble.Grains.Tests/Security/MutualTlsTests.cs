using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using DistributedEnsemble.Grains.Security;
using DistributedEnsemble.Scheduling;

namespace DistributedEnsemble.Grains.Tests.Security;

public sealed class MutualTlsTests : IAsyncDisposable
{
    private readonly Authority _authority = new();
    private readonly Authority _stranger = new();
    private readonly TlsCluster _cluster = new();

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        _authority.Dispose();
        _stranger.Dispose();
    }

    [Fact]
    public async Task Silos_and_a_client_of_one_authority_work_together()
    {
        await _cluster.StartAsync(_authority.Silo());
        await _cluster.StartSiloAsync(_authority.Silo());
        var scheduler = await _cluster.ConnectAsync(_authority.Client());

        Assert.Equal(2, await _cluster.SilosAsync());
        Assert.Null(await scheduler.FindAsync("nobody", TestContext.Current.CancellationToken));
        Assert.Empty(_cluster.Log);
    }

    [Fact]
    public async Task A_message_of_many_records_arrives_whole()
    {
        await _cluster.StartAsync(_authority.Silo());
        var scheduler = await _cluster.ConnectAsync(_authority.Client());
        var comment = new string('x', 20_000_000);

        // The spec is refused for the key at its very end, by name.
        var refusal = await Assert.ThrowsAsync<RunRejectedException>(() => scheduler.SubmitAsync(new Submission($"/* {comment} */ {{ \"membres\": 1 }}"), TestContext.Current.CancellationToken));

        Assert.Contains("membres", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_without_a_certificate_reaches_no_grain()
    {
        await _cluster.StartAsync(_authority.Silo());

        await Assert.ThrowsAnyAsync<Exception>(() => _cluster.ConnectAsync(tls: null));

        await _cluster.LoggedAsync("was refused");
        await StillServesAsync();
    }

    public static TheoryData<string> Refused => ["another authority", "expired", "not yet valid", "for servers only"];

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_certificate_that_is_not_good_now_opens_no_port(string kind)
    {
        await _cluster.StartAsync(_authority.Silo());
        var credentials = kind switch
        {
            "another authority" => _stranger.Silo(),
            "expired" => _authority.Expired(),
            "not yet valid" => _authority.NotYetValid(),
            _ => _authority.ServerOnly(),
        };

        // Such a client would refuse to start; one that an attacker wrote does not check itself.
        foreach (var endpoint in new[] { _cluster.Gateway, _cluster.Silo })
        {
            Assert.False(await AnswersAsync(endpoint, credentials, SslProtocols.Tls13), $"{endpoint} answered.");
        }
        await _cluster.LoggedAsync("is not good here");
        await StillServesAsync();
    }

    [Fact]
    public async Task A_good_certificate_opens_a_port_to_the_same_attempt()
    {
        await _cluster.StartAsync(_authority.Silo());

        Assert.True(await AnswersAsync(_cluster.Silo, _authority.Silo(), SslProtocols.Tls13));
        Assert.True(await AnswersAsync(_cluster.Gateway, _authority.Client(), SslProtocols.Tls13, seconds: 5));
    }

    [Fact]
    public async Task A_clients_certificate_does_not_open_the_port_for_silos()
    {
        await _cluster.StartAsync(_authority.Silo());

        Assert.False(await AnswersAsync(_cluster.Silo, _authority.Client(), SslProtocols.Tls13));
        await _cluster.LoggedAsync("is not good here");
    }

    [Fact]
    public async Task No_certificate_and_an_older_tls_open_no_port()
    {
        await _cluster.StartAsync(_authority.Silo());

        Assert.False(await AnswersAsync(_cluster.Gateway, credentials: null, SslProtocols.Tls13));
        await _cluster.LoggedAsync("it has no certificate.");
        Assert.False(await AnswersAsync(_cluster.Gateway, _authority.Client(), SslProtocols.Tls12));
    }

    [Fact]
    public async Task A_client_trusts_no_silo_of_another_authority()
    {
        await _cluster.StartAsync(_stranger.Silo());

        await Assert.ThrowsAnyAsync<Exception>(() => _cluster.ConnectAsync(_authority.Client()));
    }

    [Fact]
    public async Task A_silo_without_a_certificate_joins_nothing()
    {
        await _cluster.StartAsync(_authority.Silo());
        using var end = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);

        var starting = _cluster.BuildSilo(tls: null).StartAsync(end.Token);
        await _cluster.LoggedAsync("was refused");

        Assert.Equal(1, await _cluster.SilosAsync());
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => starting);
        Assert.Equal(1, await _cluster.SilosAsync());
    }

    [Fact]
    public async Task A_silo_of_another_authority_joins_nothing()
    {
        await _cluster.StartAsync(_authority.Silo());
        using var end = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);

        var starting = _cluster.BuildSilo(_stranger.Silo()).StartAsync(end.Token);
        await _cluster.LoggedAsync("was refused");

        Assert.Equal(1, await _cluster.SilosAsync());
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => starting);
    }

    [Fact]
    public async Task Peers_that_say_nothing_or_half_a_hello_are_let_go_and_hold_up_nobody()
    {
        await _cluster.StartAsync(_authority.Silo() with { HandshakeTimeout = TimeSpan.FromSeconds(5) });
        var silent = new List<Socket>();
        for (var i = 0; i < 50; i++) silent.Add(await TlsCluster.DialAsync(i % 2 == 0 ? _cluster.Gateway : _cluster.Silo));
        for (var i = 0; i < silent.Count; i += 3) await silent[i].SendAsync(new byte[] { 0x16, 0x03, 0x01, 0x02, 0x00, 0x01 });

        await StillServesAsync();

        // Each of them reads the end of its connection.
        foreach (var socket in silent)
        {
            Assert.Equal(0, await ReadToEndAsync(socket));
            socket.Dispose();
        }
        await _cluster.LoggedAsync("the TLS handshake took more than 5 s.");
    }

    [Fact]
    public async Task Plain_bytes_get_no_answer_of_orleans()
    {
        await _cluster.StartAsync(_authority.Silo());
        foreach (var endpoint in new[] { _cluster.Gateway, _cluster.Silo })
        {
            using var socket = await TlsCluster.DialAsync(endpoint);
            await socket.SendAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\n\r\n"));

            // At most an alert of seven bytes, then the end.
            Assert.InRange(await ReadToEndAsync(socket), 0, 7);
        }
        await StillServesAsync();
    }

    private async Task StillServesAsync()
    {
        var scheduler = await _cluster.ConnectAsync(_authority.Client());
        Assert.Null(await scheduler.FindAsync("nobody", TestContext.Current.CancellationToken));
    }

    private static async Task<int> ReadToEndAsync(Socket socket)
    {
        var (buffer, total) = (new byte[1024], 0);
        try
        {
            while (await socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken) is > 0 and var read) total += read;
        }
        catch (SocketException)
        {
            // A reset is an end too.
        }
        return total;
    }

    /// <summary>
    /// Whether a port lets these credentials as far as Orleans. In TLS 1.3 the accepting side checks last, so a completed
    /// handshake says nothing: the silo's port greets first, and the gateway's leaves an accepted connection open.
    /// </summary>
    /// <param name="seconds">How long a connection stays open that was let in: one that is refused ends before, however slow the machine.</param>
    private static async Task<bool> AnswersAsync(IPEndPoint endpoint, TlsSettings? credentials, SslProtocols protocols, int seconds = 120)
    {
        using var socket = await TlsCluster.DialAsync(endpoint);
        await using var stream = new SslStream(new NetworkStream(socket));
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = "anything",
            EnabledSslProtocols = protocols,
            RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
            ClientCertificateContext = credentials is null ? null : SslStreamCertificateContext.Create(
                X509Certificate2.CreateFromPemFile(credentials.CertificateFile, credentials.KeyFile), null, offline: true),
        };
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        try
        {
            await stream.AuthenticateAsClientAsync(options, TestContext.Current.CancellationToken);
            patience.CancelAfter(TimeSpan.FromSeconds(seconds));
            return await stream.ReadAsync(new byte[1], patience.Token) > 0;
        }
        catch (OperationCanceledException)
        {
            return true;
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            return false;
        }
    }
}
