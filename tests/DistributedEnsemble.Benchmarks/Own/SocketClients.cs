using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using DistributedEnsemble.Benchmarks.Serving;

namespace DistributedEnsemble.Benchmarks.Own;

/// <summary>
/// Clients that write the same request again as soon as they are answered, all on one thread. They share the server's cores, and take
/// less of them than HttpClient: what is measured is the server.
/// </summary>
/// <param name="request">With its headers.</param>
internal sealed class SocketClients(IPEndPoint server, byte[] request)
{
    private readonly byte[] _answer = new byte[1 << 16];

    public Measurement Measure(int clients, double seconds)
    {
        var asked = new Dictionary<Socket, long>();
        try
        {
            for (var i = 0; i < clients; i++)
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                asked[socket] = 0;
                socket.Connect(server);
            }

            var (ticks, begun, processor) = (new List<long>(), Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
            foreach (var socket in asked.Keys.ToArray()) Ask(socket);
            var (ready, errors) = (new List<Socket>(clients), 0);
            while (Stopwatch.GetElapsedTime(begun).TotalSeconds < seconds)
            {
                ready.Clear();
                ready.AddRange(asked.Keys);
                Socket.Select(ready, null, null, TimeSpan.FromMilliseconds(100));
                foreach (var socket in ready)
                {
                    if (IsAnswered(socket)) ticks.Add(Stopwatch.GetTimestamp() - asked[socket]);
                    else errors++;
                    Ask(socket);
                }
            }

            return Measurement.Of(ticks, (begun, processor), 1, errors);
        }
        finally
        {
            foreach (var socket in asked.Keys) socket.Dispose();
        }

        void Ask(Socket socket)
        {
            asked[socket] = Stopwatch.GetTimestamp();
            socket.Send(request);
        }
    }

    /// <summary>Reads an answer of a known length.</summary>
    private bool IsAnswered(Socket socket)
    {
        int read = 0, end;
        while ((end = _answer.AsSpan(0, read).IndexOf("\r\n\r\n"u8)) < 0) read += Receive();
        var head = Encoding.ASCII.GetString(_answer.AsSpan(0, end + 2));
        const string Length = "\r\nContent-Length: ";
        var start = head.IndexOf(Length, StringComparison.OrdinalIgnoreCase);
        if (start < 0) throw new InvalidOperationException("An answer has no length.");
        start += Length.Length;
        var whole = end + 4 + int.Parse(head.AsSpan(start, head.IndexOf('\r', start) - start), CultureInfo.InvariantCulture);
        while (read < whole) read += Receive();
        return head.StartsWith("HTTP/1.1 200", StringComparison.Ordinal);

        int Receive() => socket.Receive(_answer.AsSpan(read)) is var received and > 0 ? received : throw new InvalidOperationException("The server has closed a connection.");
    }
}
