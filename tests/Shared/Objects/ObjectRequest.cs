using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace DistributedEnsemble.Tests.Objects;

/// <summary>A request to a store of objects, with all of its body.</summary>
internal sealed class ObjectRequest
{
    private const string Algorithm = "AWS4-HMAC-SHA256", Streaming = "STREAMING-";

    private readonly Dictionary<string, string> _headers;
    private readonly string _path, _query;

    /// <summary>Null if it is not what it says that it is.</summary>
    private readonly byte[]? _body;

    private ObjectRequest(string method, string target, Dictionary<string, string> headers, byte[] sent)
    {
        (Method, _headers) = (method, headers);
        var raw = target.Split('?', 2);
        (_path, _query) = (raw[0], raw.ElementAtOrDefault(1) ?? "");
        var names = Uri.UnescapeDataString(_path).TrimStart('/').Split('/', 2);
        (Bucket, Key) = (names[0], names.ElementAtOrDefault(1) ?? "");
        Query = _query.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=', 2))
            .ToDictionary(pair => Uri.UnescapeDataString(pair[0]), pair => Uri.UnescapeDataString(pair.ElementAtOrDefault(1) ?? ""));
        _body = Hash.StartsWith(Streaming, StringComparison.Ordinal) ? Unchunked(sent) : sent;
    }

    public string Method { get; }

    public string Bucket { get; }

    public string Key { get; }

    public IReadOnlyDictionary<string, string> Query { get; }

    public string? IfMatch => Header("If-Match");

    public string? IfNoneMatch => Header("If-None-Match");

    /// <summary>The first and the last byte that are asked for, the last one null where it is the object's; null for all of it.</summary>
    public (long Start, long? End)? Range => Header("Range") is { } range && range.Split('=', '-') is ["bytes", var start, var end]
        ? (long.Parse(start, CultureInfo.InvariantCulture), end.Length == 0 ? null : long.Parse(end, CultureInfo.InvariantCulture))
        : null;

    public byte[] Body => _body!;

    private string Hash => Header("x-amz-content-sha256") ?? "";

    /// <param name="answers">Is told that the body may come, where the client waits for that.</param>
    /// <returns>Null at the end of the connection.</returns>
    /// <exception cref="IOException">The request is torn.</exception>
    public static async Task<ObjectRequest?> ReadAsync(Stream stream, Stream answers, CancellationToken cancellation)
    {
        if (await LineAsync(stream, cancellation) is not { Length: > 0 } first) return null;
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        while (await LineAsync(stream, cancellation) is { Length: > 0 } line)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            headers[line[..colon]] = line[(colon + 1)..].Trim();
        }

        if (headers.GetValueOrDefault("Expect") == "100-continue")
            await answers.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray(), cancellation);

        // Amazon refuses a body whose length is not said.
        if (headers.ContainsKey("Transfer-Encoding")) throw new IOException("The length of the body is not said.");
        var body = new byte[int.Parse(headers.GetValueOrDefault("Content-Length", "0"), CultureInfo.InvariantCulture)];
        await stream.ReadExactlyAsync(body, cancellation);
        var words = first.Split(' ');
        return new ObjectRequest(words[0], words[1], headers, body);
    }

    /// <returns>Null if it is signed with the keys, and its body is what it says.</returns>
    public ObjectAnswer? Refusal(string accessKey, string secretKey)
    {
        if (Header("Authorization") is not { } authorization || !authorization.StartsWith(Algorithm, StringComparison.Ordinal)) return ObjectAnswer.Error(403, "AccessDenied");
        var fields = authorization[Algorithm.Length..].Split(',').Select(field => field.Trim().Split('=', 2)).ToDictionary(field => field[0], field => field[1]);
        var credential = fields["Credential"].Split('/');
        if (credential[0] != accessKey) return ObjectAnswer.Error(403, "InvalidAccessKeyId");
        if (Signature(secretKey, credential, fields["SignedHeaders"]) != fields["Signature"]) return ObjectAnswer.Error(403, "SignatureDoesNotMatch");
        if (_body is null) return ObjectAnswer.Error(400, "IncompleteBody");
        if (Hash is not "UNSIGNED-PAYLOAD" && !Hash.StartsWith(Streaming, StringComparison.Ordinal) && Hash != Convert.ToHexStringLower(SHA256.HashData(_body))) return ObjectAnswer.Error(400, "XAmzContentSHA256Mismatch");
        return null;
    }

    /// <summary>Amazon's Signature Version 4, with the keys' part of the date, the region and the service.</summary>
    private string Signature(string secretKey, string[] credential, string signed)
    {
        var headers = string.Concat(signed.Split(';').Select(name => $"{name}:{Header(name)}\n"));
        var query = string.Join('&', _query.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Contains('=', StringComparison.Ordinal) ? pair : $"{pair}=").Order(StringComparer.Ordinal));
        var canonical = $"{Method}\n{_path}\n{query}\n{headers}\n{signed}\n{Hash}";
        var scope = string.Join('/', credential[1..]);
        var text = $"{Algorithm}\n{Header("x-amz-date")}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var key = credential[1..].Aggregate(Encoding.UTF8.GetBytes($"AWS4{secretKey}"), (key, part) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part)));
        return Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));
    }

    /// <summary>A body in chunks, each with its length before it, and checksums after the last one.</summary>
    private byte[]? Unchunked(byte[] sent)
    {
        using var whole = new MemoryStream();
        var at = 0;
        while (LineAt(ref at) is { } line)
        {
            var length = int.Parse(line.Split(';')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (length == 0) return whole.Length.ToString(CultureInfo.InvariantCulture) == Header("x-amz-decoded-content-length") ? whole.ToArray() : null;
            if (at + length + 2 > sent.Length) return null;
            whole.Write(sent, at, length);
            at += length + 2;
        }

        return null;

        string? LineAt(ref int from)
        {
            var end = sent.AsSpan(from).IndexOf("\r\n"u8);
            if (end < 0) return null;
            var line = Encoding.ASCII.GetString(sent, from, end);
            from += end + 2;
            return line;
        }
    }

    private string? Header(string name) => _headers.GetValueOrDefault(name);

    private static async Task<string> LineAsync(Stream stream, CancellationToken cancellation)
    {
        var (line, one) = (new StringBuilder(), new byte[1]);
        while (await stream.ReadAsync(one, cancellation) == 1 && one[0] != '\n') line.Append((char)one[0]);
        return line.ToString().TrimEnd('\r');
    }
}
