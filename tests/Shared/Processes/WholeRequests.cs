using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace DistributedEnsemble.Tests.Processes;

/// <summary>
/// Stands before an HTTP server that writes objects in place, and gives it requests that are whole, one at a time for each object: as S3
/// promises, an object is then replaced as a whole, whoever is killed in the middle of a request, or reads at that moment.
/// </summary>
internal sealed class WholeRequests : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _objects = new();
    private readonly IPEndPoint _server;
    private readonly Task _serving;

    public WholeRequests(int port)
    {
        _server = new IPEndPoint(IPAddress.Loopback, port);
        _listener.Start();
        _serving = Task.Run(ServeAsync);
    }

    /// <summary>Is told of each object before its request is passed on, which waits for it.</summary>
    public Func<string, Task>? Before { get; set; }

    public string Url => $"http://{_listener.LocalEndpoint}";

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _serving;
        _listener.Dispose();
        foreach (var one in _objects.Values) one.Dispose();
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                connections.RemoveAll(connection => connection.IsCompleted);
                connections.Add(Task.Run(() => HandleAsync(client)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task HandleAsync(TcpClient client)
    {
        try
        {
            using (client)
            {
                await using var stream = client.GetStream();
                await using var sent = new BufferedStream(stream, 1 << 16);
                if (await ReadAsync(sent, stream) is not { } request) return;
                if (Before is { } before) await before(request.Path);
                var one = _objects.GetOrAdd(request.Path, _ => new SemaphoreSlim(1));
                await one.WaitAsync(_stop.Token);
                try
                {
                    using var server = new TcpClient();
                    await server.ConnectAsync(_server, _stop.Token);
                    await using var answers = server.GetStream();
                    await answers.WriteAsync(request.Bytes, _stop.Token);
                    using var answer = new MemoryStream();
                    await answers.CopyToAsync(answer, _stop.Token);
                    await stream.WriteAsync(answer.GetBuffer().AsMemory(0, (int)answer.Length), _stop.Token);
                }
                finally
                {
                    one.Release();
                }
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException)
        {
            // Who asked is gone, or the server, or the test has ended.
        }
    }

    /// <returns>The request, which asks for the connection to be closed after its answer; null if none comes.</returns>
    /// <exception cref="IOException">It is torn.</exception>
    private async Task<(string Path, byte[] Bytes)?> ReadAsync(BufferedStream sent, NetworkStream answers)
    {
        if (await LineAsync(sent) is not { Length: > 0 } first) return null;
        var (head, length) = (new StringBuilder($"{first}\r\nConnection: close\r\n"), 0);
        while (await LineAsync(sent) is { Length: > 0 } line)
        {
            var field = line.Split(':', 2);
            if (field[0].Equals("Content-Length", StringComparison.OrdinalIgnoreCase)) length = int.Parse(field[1], CultureInfo.InvariantCulture);
            if (field[0].Equals("Expect", StringComparison.OrdinalIgnoreCase)) await answers.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray(), _stop.Token);
            else if (!field[0].Equals("Connection", StringComparison.OrdinalIgnoreCase)) head.Append(CultureInfo.InvariantCulture, $"{line}\r\n");
        }

        var start = Encoding.Latin1.GetBytes(head.Append("\r\n").ToString());
        var request = new byte[start.Length + length];
        start.CopyTo(request, 0);
        await sent.ReadExactlyAsync(request.AsMemory(start.Length), _stop.Token);
        return (first.Split(' ', '?')[1], request);
    }

    private async Task<string> LineAsync(BufferedStream sent)
    {
        var (line, one) = (new StringBuilder(), new byte[1]);
        while (await sent.ReadAsync(one, _stop.Token) == 1 && one[0] != '\n') line.Append((char)one[0]);
        return line.ToString().TrimEnd('\r');
    }
}
