using System.IO.Pipelines;
using Microsoft.Net.Http.Headers;

namespace DistributedEnsemble.Serving.Answers;

/// <summary>Writes answers: whole ones with their length, long ones as they come, compressed for whoever accepts it.</summary>
internal static class HttpAnswer
{
    /// <summary>Clients of other makers compare it as a text: without a character set, which JSON has none of.</summary>
    public const string Json = "application/json";

    /// <summary>What is shorter costs more to compress than it saves.</summary>
    private const int ShortestCompressed = 1024;

    /// <summary>An answer that is in memory.</summary>
    public static async Task WriteAsync(HttpContext context, string contentType, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        if (Coding(context, body.Length) is { } coding)
        {
            var compressed = new MemoryStream();
            await using (var stream = coding.Encode(compressed)) stream.Write(body.Span);
            (body, context.Response.Headers.ContentEncoding) = (compressed.GetBuffer().AsMemory(0, (int)compressed.Length), coding.Name);
        }

        (context.Response.ContentType, context.Response.ContentLength) = (contentType, body.Length);
        await context.Response.BodyWriter.WriteAsync(body, cancellation);
    }

    /// <summary>An answer that is written piece by piece.</summary>
    /// <param name="length">Of all pieces, if that is known.</param>
    /// <param name="write">Writes it; what it flushes is on its way.</param>
    public static async Task StreamAsync(HttpContext context, string contentType, long? length, Func<PipeWriter, Task> write)
    {
        context.Response.ContentType = contentType;
        if (Coding(context, length ?? long.MaxValue) is not { } coding)
        {
            context.Response.ContentLength = length;
            await write(context.Response.BodyWriter);
            return;
        }

        context.Response.Headers.ContentEncoding = coding.Name;
        await using var stream = coding.Encode(context.Response.Body);
        var writer = PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));
        await write(writer);
        await writer.CompleteAsync();
    }

    private static ContentCoding? Coding(HttpContext context, long length)
    {
        if (length < ShortestCompressed) return null;
        context.Response.Headers.Append(HeaderNames.Vary, HeaderNames.AcceptEncoding);
        return ContentCoding.Accepted(context.Request);
    }
}
