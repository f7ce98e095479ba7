using System.Globalization;
using System.Text;

namespace DistributedEnsemble.Tests.Objects;

/// <summary>What a store of objects answers.</summary>
/// <param name="Tag">The object's, with its quotes.</param>
/// <param name="Place">Which bytes of the object these are; null for all of them.</param>
internal sealed record ObjectAnswer(int Status, byte[] Body, string Type, string? Tag = null, DateTime? Written = null, string? Place = null)
{
    public static ObjectAnswer Empty(int status, string? tag = null) => new(status, [], "application/xml", tag);

    public static ObjectAnswer Xml(string text, int status = 200) => new(status, Encoding.UTF8.GetBytes(text), "application/xml");

    public static ObjectAnswer Error(int status, string code) =>
        Xml($"<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>As the tests want it</Message></Error>", status);

    /// <param name="isHead">Only the head is asked for.</param>
    /// <param name="isHalf">Half of the body comes.</param>
    public async Task WriteAsync(Stream stream, bool isHead, CancellationToken cancellation, bool isHalf = false, TimeSpan ahead = default)
    {
        var head = new StringBuilder().Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {Status} As-Asked\r\nDate: {DateTime.UtcNow + ahead:R}\r\n");
        if (Tag is not null) head.Append(CultureInfo.InvariantCulture, $"ETag: {Tag}\r\n");
        if (Written is { } written) head.Append(CultureInfo.InvariantCulture, $"Last-Modified: {written:R}\r\n");
        if (Place is not null) head.Append(CultureInfo.InvariantCulture, $"Content-Range: {Place}\r\n");
        var hasBody = Status is not (204 or 304);
        if (hasBody) head.Append(CultureInfo.InvariantCulture, $"Content-Type: {Type}\r\nContent-Length: {Body.Length}\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head.Append("\r\n").ToString()), cancellation);
        if (hasBody && !isHead) await stream.WriteAsync(Body.AsMemory(0, isHalf ? Body.Length / 2 : Body.Length), cancellation);
        await stream.FlushAsync(cancellation);
    }
}
