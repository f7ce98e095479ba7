using System.Net;
using System.Net.Sockets;
using System.Text;

namespace DistributedEnsemble.Browser.Tests;

/// <summary>Says one thing on each connection, as server-sent events, and keeps it open without a further word.</summary>
internal sealed class SilentServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<TcpClient> _open = [];
    private readonly Task _accepting;
    private volatile int _connections;

    public SilentServer(string first)
    {
        _listener.Start();
        _accepting = AcceptAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n{first}"));
    }

    public string Url => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/";

    public int Connections => _connections;

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _accepting;
        foreach (var client in _open) client.Dispose();
    }

    private async Task AcceptAsync(byte[] answer)
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync();
                _open.Add(client);
                _connections++;
                await client.GetStream().WriteAsync(answer);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or IOException)
        {
            // The test is over.
        }
    }
}
