using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using DistributedEnsemble.Serving.Answers;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.WebUtilities;

namespace DistributedEnsemble.Serving.Connections;

/// <summary>
/// Gives {"error": …} to requests that cannot be read and so never reach the application: the server refuses them with a status alone,
/// and clients that look for the error's text find none.
/// </summary>
internal static class UnreadableRequests
{
    public static async Task OnConnectionAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var transport = connection.Transport;
        connection.Transport = new Duplex(transport.Input, new Output(transport.Output));
        try
        {
            await next(connection);
        }
        finally
        {
            connection.Transport = transport;
        }
    }

    /// <summary>The same answer with a body, if it is one of HTTP/1.1 that refuses and has none; else null.</summary>
    internal static byte[]? WithBody(ReadOnlySpan<byte> answer)
    {
        const int StatusAt = 9, StatusLength = 3;
        var empty = "\r\nContent-Length: 0\r\n"u8;
        if (answer.Length < StatusAt + StatusLength || !answer.StartsWith("HTTP/1.1 "u8) || answer[StatusAt] is not ((byte)'4' or (byte)'5')) return null;
        if (!answer.EndsWith("\r\n\r\n"u8) || answer.IndexOf(empty) is not (> 0 and var length)) return null;
        var body = JsonSerializer.SerializeToUtf8Bytes(new { error = Message(int.Parse(answer.Slice(StatusAt, StatusLength))) });
        return
        [
            .. answer[..length],
            .. Encoding.ASCII.GetBytes($"\r\nContent-Length: {body.Length}\r\nContent-Type: {HttpAnswer.Json}\r\n"),
            .. answer[(length + empty.Length)..],
            .. body,
        ];
    }

    private static string Message(int status) => status switch
    {
        StatusCodes.Status400BadRequest => "The request cannot be read: its first line, its Host, its length or another header is missing or malformed.",
        StatusCodes.Status408RequestTimeout => "The request did not come in time.",
        StatusCodes.Status413PayloadTooLarge => "The request is too long.",
        StatusCodes.Status414UriTooLong => "The request's address is too long.",
        StatusCodes.Status431RequestHeaderFieldsTooLarge => "The request's headers are too long.",
        StatusCodes.Status505HttpVersionNotsupported => "The request's version of HTTP is unknown: 1.0 and 1.1 are spoken here.",
        _ => $"{ReasonPhrases.GetReasonPhrase(status)}.",
    };

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    /// <summary>Passes everything on; headers are written in one piece, and looked at before they are.</summary>
    private sealed class Output(PipeWriter inner) : PipeWriter
    {
        private Memory<byte> _written;

        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => inner.UnflushedBytes;

        public override Memory<byte> GetMemory(int sizeHint = 0) => _written = inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

        public override void Advance(int bytes)
        {
            if (bytes <= _written.Length && WithBody(_written.Span[..bytes]) is { } answer && answer.Length <= _written.Length)
            {
                answer.CopyTo(_written);
                bytes = answer.Length;
            }

            _written = default;
            inner.Advance(bytes);
        }

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);
    }
}
