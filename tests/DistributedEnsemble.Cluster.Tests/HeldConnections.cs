using System.Net;
using System.Net.Sockets;
using System.Text;

namespace DistributedEnsemble.Cluster.Tests;

/// <summary>
/// Stands between a process and its Redis, and holds back a request that names something, and all that follow on its connection: as
/// a Redis that stops in the middle of a start.
/// </summary>
internal sealed class HeldConnections : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _port;
    private readonly byte[] _named;

    /// <param name="port">Of Redis.</param>
    /// <param name="named">What the request that is held back names.</param>
    public HeldConnections(int port, string named)
    {
        (_port, _named) = (port, Encoding.ASCII.GetBytes(named));
        _listener.Start();
        _ = AcceptAsync();
    }

    public string Url => $"redis://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>Waits until a request is held back.</summary>
    public Task HoldsAsync() => _held.Task.WaitAsync(Until.Patience, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                _ = RelayAsync(await _listener.AcceptTcpClientAsync(_end.Token));
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task RelayAsync(TcpClient client)
    {
        using (client)
        using (var redis = new TcpClient())
        {
            try
            {
                await redis.ConnectAsync(IPAddress.Loopback, _port, _end.Token);
                var (asking, answering) = (client.GetStream(), redis.GetStream());
                await Task.WhenAny(ForwardAsync(asking, answering), answering.CopyToAsync(asking, _end.Token));
            }
            catch (Exception exception) when (exception is OperationCanceledException or IOException or SocketException)
            {
                // One of the two has gone.
            }
        }
    }

    private async Task ForwardAsync(NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[1 << 16];
        while (await from.ReadAsync(buffer, _end.Token) is > 0 and var read)
        {
            if (buffer.AsSpan(0, read).IndexOf(_named) >= 0) _held.TrySetResult();
            if (!_held.Task.IsCompleted) await to.WriteAsync(buffer.AsMemory(0, read), _end.Token);
        }
    }
}
