using System.Collections.Frozen;
using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Serving.Answers;
using DistributedEnsemble.Serving.Authorization;
using Microsoft.Net.Http.Headers;

namespace DistributedEnsemble.Serving.Page;

/// <summary>
/// The live page: plain modules and style sheets that lie in this assembly, the same for everybody. It holds no data; what it shows
/// it asks for as any client does.
/// </summary>
internal sealed class PageFiles
{
    /// <summary>Below which the page's parts are.</summary>
    public const string Folder = "/page/";

    private const string Start = "index.html";

    /// <summary>Nothing is run or shown but this server's own files: neither what stands in the page, nor what others offer.</summary>
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private static readonly FrozenDictionary<string, string> s_types = new Dictionary<string, string>
    {
        [".html"] = "text/html; charset=utf-8", [".js"] = "text/javascript; charset=utf-8", [".css"] = "text/css; charset=utf-8", [".svg"] = "image/svg+xml",
        [".md"] = "text/plain; charset=utf-8",
    }.ToFrozenDictionary();

    private readonly FrozenDictionary<string, PageFile> _files = Read();

    /// <summary>Bytes of all of it, as browsers that take gzip get them.</summary>
    public long CompressedBytes => _files.Where(file => !file.Key.EndsWith(".md", StringComparison.Ordinal)).Sum(file => (long)file.Value.Compressed.Length);

    public void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/", (Delegate)((HttpContext context) => SendAsync(context, Start))).Needs(Access.Anyone, forBrowsers: true);
        app.MapGet(Folder + "{**file}", (HttpContext context, string file) => SendAsync(context, file)).Needs(Access.Anyone);
    }

    private Task SendAsync(HttpContext context, string name)
    {
        if (!_files.TryGetValue(name, out var file)) throw HttpError.NotFound($"The page has no part {OneLine.Quoted(name)}.");
        var (request, response) = (context.Request, context.Response);
        response.Headers.ContentSecurityPolicy = Policy;
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers["Cross-Origin-Opener-Policy"] = "same-origin";
        // Asked for again each time, and sent again when it has changed.
        (response.Headers.CacheControl, response.Headers.ETag, response.Headers.Vary) = ("no-cache", file.Tag, HeaderNames.AcceptEncoding);
        if (request.Headers.IfNoneMatch == file.Tag)
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        var isCompressed = ContentCoding.Accepted(request)?.Name == "gzip";
        if (isCompressed) response.Headers.ContentEncoding = "gzip";
        var body = isCompressed ? file.Compressed : file.Plain;
        (response.ContentType, response.ContentLength) = (file.Type, body.Length);
        return response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    private static FrozenDictionary<string, PageFile> Read()
    {
        var assembly = typeof(PageFiles).Assembly;
        return assembly.GetManifestResourceNames().Where(name => name.StartsWith(Folder, StringComparison.Ordinal))
            .ToFrozenDictionary(name => name[Folder.Length..], name => Read(assembly, name));
    }

    private static PageFile Read(Assembly assembly, string name)
    {
        using var stream = assembly.GetManifestResourceStream(name)!;
        var plain = new byte[stream.Length];
        stream.ReadExactly(plain);
        var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.SmallestSize, leaveOpen: true)) gzip.Write(plain);
        return new PageFile(plain, compressed.ToArray(), s_types[Path.GetExtension(name)], $"\"{Convert.ToHexStringLower(SHA256.HashData(plain).AsSpan(0, 8))}\"");
    }

    private sealed record PageFile(byte[] Plain, byte[] Compressed, string Type, string Tag);
}
