using System.IO.Compression;
using DistributedEnsemble.Messages;
using Microsoft.Net.Http.Headers;

namespace DistributedEnsemble.Serving.Answers;

/// <summary>A compression that HTTP names: what bodies may come in, and what answers go out in to whoever accepts it.</summary>
internal sealed class ContentCoding(string name, Func<Stream, Stream> decode, Func<Stream, Stream> encode)
{
    /// <summary>What is not compressed is named so, too.</summary>
    private const string Identity = "identity";

    private static readonly ContentCoding[] s_all =
    [
        new("gzip", stream => new GZipStream(stream, CompressionMode.Decompress), stream => new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true)),
        // HTTP's deflate is what other formats call zlib.
        new("deflate", stream => new ZLibStream(stream, CompressionMode.Decompress), stream => new ZLibStream(stream, CompressionLevel.Fastest, leaveOpen: true)),
    ];

    public static string Names => string.Join(", ", s_all.Select(coding => coding.Name));

    public string Name => name;

    /// <summary>The body as its client wrote it, before it was compressed.</summary>
    /// <exception cref="HttpError">It is compressed in another way, or more than once.</exception>
    public static Stream Decoded(HttpRequest request)
    {
        if (request.Headers.ContentEncoding.Count == 0) return request.Body;
        var codings = request.Headers.GetCommaSeparatedValues(HeaderNames.ContentEncoding)
            .Where(coding => !coding.Equals(Identity, StringComparison.OrdinalIgnoreCase)).ToList();
        if (codings.Count == 0) return request.Body;
        return codings is [var only] && Find(only) is { } coding ? coding.Decode(request.Body) : throw new HttpError(
            StatusCodes.Status415UnsupportedMediaType,
            $"The body's Content-Encoding is {OneLine.Quoted(string.Join(", ", codings))}: it may be {Names} or none.");
    }

    /// <summary>The coding that a client accepts for its answer; null for none.</summary>
    public static ContentCoding? Accepted(HttpRequest request) =>
        StringWithQualityHeaderValue.TryParseList(request.Headers.AcceptEncoding, out var accepted)
            ? accepted.Where(value => value.Quality is not 0).OrderByDescending(value => value.Quality ?? 1).Select(value => Find(value.Value.Value)).FirstOrDefault(coding => coding is not null)
            : null;

    public Stream Decode(Stream compressed) => decode(compressed);

    /// <summary>What is written to it is compressed, to its end when it is disposed.</summary>
    public Stream Encode(Stream compressed) => encode(compressed);

    private static ContentCoding? Find(string? coding) => Array.Find(s_all, known => known.Name.Equals(coding, StringComparison.OrdinalIgnoreCase));
}
