using System.Diagnostics;
using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
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
        var (sockets, asked) = (new Socket[clients], new long[clients]);
        try
        {
            using var waiting = new SocketEvents();
            for (var i = 0; i < clients; i++)
            {
                sockets[i] = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                sockets[i].Connect(server);
                waiting.Add(sockets[i], i);
            }

            var (ticks, begun, processor, errors) = (new List<long>(), Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime, 0);
            for (var i = 0; i < clients; i++) Ask(i);
            while (Stopwatch.GetElapsedTime(begun).TotalSeconds < seconds)
            {
                foreach (var client in waiting.Wait(milliseconds: 100))
                {
                    if (IsAnswered(sockets[client.Number])) ticks.Add(Stopwatch.GetTimestamp() - asked[client.Number]);
                    else errors++;
                    Ask(client.Number);
                }
            }

            return Measurement.Of(ticks, (begun, processor), 1, errors);
        }
        finally
        {
            foreach (var socket in sockets) socket?.Dispose();
        }

        void Ask(long client)
        {
            asked[client] = Stopwatch.GetTimestamp();
            sockets[client].Send(request);
        }
    }

    /// <summary>Reads an answer of a known length.</summary>
    private bool IsAnswered(Socket socket)
    {
        int read = 0, end;
        while ((end = _answer.AsSpan(0, read).IndexOf("\r\n\r\n"u8)) < 0) read += Receive();
        var head = _answer.AsSpan(0, end + 2);
        var length = "\r\nContent-Length: "u8;
        if (head.IndexOf(length) is not (>= 0 and var start) || !Utf8Parser.TryParse(head[(start + length.Length)..], out int body, out _))
            throw new InvalidOperationException("An answer has no length.");
        while (read < end + 4 + body) read += Receive();
        return head.StartsWith("HTTP/1.1 200"u8);

        int Receive() => socket.Receive(_answer.AsSpan(read)) is var received and > 0 ? received : throw new InvalidOperationException("The server has closed a connection.");
    }
}
