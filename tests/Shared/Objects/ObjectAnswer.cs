using System.Net;
using System.Text;

namespace DistributedEnsemble.Tests.Objects;

/// <summary>What a store of objects answers.</summary>
/// <param name="Tag">The object's, with its quotes.</param>
internal sealed record ObjectAnswer(int Status, byte[] Body, string Type, string? Tag = null, DateTime? Written = null)
{
    public static ObjectAnswer Empty(int status, string? tag = null) => new(status, [], "application/xml", tag);

    public static ObjectAnswer Xml(string text, int status = 200) => new(status, Encoding.UTF8.GetBytes(text), "application/xml");

    public static ObjectAnswer Error(int status, string code) =>
        Xml($"<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>As the tests want it</Message></Error>", status);

    /// <param name="isHead">Only the head is asked for.</param>
    public void Write(HttpListenerResponse response, bool isHead)
    {
        response.StatusCode = Status;
        if (Tag is not null) response.Headers["ETag"] = Tag;
        if (Written is { } written) response.Headers["Last-Modified"] = $"{written:R}";
        var hasBody = Status is not (204 or 304);
        if (hasBody)
        {
            response.ContentType = Type;
            response.ContentLength64 = Body.Length;
        }

        if (hasBody && !isHead) response.OutputStream.Write(Body);
        response.Close();
    }
}
