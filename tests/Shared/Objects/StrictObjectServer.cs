using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using DistributedEnsemble.Grains.Stores.Objects;

namespace DistributedEnsemble.Tests.Objects;

/// <summary>
/// A store of objects in this process that takes S3's rules by the letter: signatures, hashes of bodies, conditions of reads and
/// writes, lists in pages, uploads in pieces. It has one bucket. A body that is torn leaves nothing, and a test may have requests fail.
/// </summary>
internal sealed class StrictObjectServer : IAsyncDisposable
{
    public const string Bucket = "ensemble", AccessKey = "AKIDENSEMBLE", SecretKey = "secret/of+the=tests";

    /// <summary>Fewer than Amazon's 1,000, so that lists have pages.</summary>
    private const int MostListed = 50;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, StoredObject> _objects = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SortedDictionary<int, byte[]>> _uploads = [];
    private readonly Task _serving;
    private long _received, _sent;

    public StrictObjectServer()
    {
        _listener.Start();
        Url = $"http://{_listener.LocalEndpoint}";
        _serving = Task.Run(ServeAsync);
    }

    public string Url { get; }

    /// <summary>What fails: asked before a request is looked at; null lets it be.</summary>
    public Func<ObjectRequest, ObjectFault?>? Fault { get; set; }

    /// <summary>How much its clock is ahead of this machine's.</summary>
    public TimeSpan Ahead { get; set; }

    /// <summary>Whether it takes every write, as some stores do.</summary>
    public bool IgnoresConditions { get; set; }

    /// <summary>The bytes of all bodies that were stored.</summary>
    public long Received => Interlocked.Read(ref _received);

    /// <summary>The bytes of objects that were answered with.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    public IReadOnlyList<string> Names
    {
        get
        {
            lock (_gate) return [.. _objects.Keys];
        }
    }

    public Dictionary<string, string> Environment(string? secretKey = null) => new()
    {
        ["AWS_ENDPOINT_URL"] = Url, ["AWS_REGION"] = "us-east-1", ["AWS_ACCESS_KEY_ID"] = AccessKey, ["AWS_SECRET_ACCESS_KEY"] = secretKey ?? SecretKey,
    };

    /// <param name="scratch">A folder for what is on its way.</param>
    public ObjectStorage Open(string prefix, string scratch, TimeProvider? time = null) =>
        new(ObjectStoreAddress.Parse(Address(prefix), "--store", name => Environment().GetValueOrDefault(name)), scratch, time);

    /// <summary>Makes all objects older than they are.</summary>
    public void Age(TimeSpan by)
    {
        lock (_gate)
        {
            foreach (var (key, stored) in _objects.ToList()) _objects[key] = stored with { Written = stored.Written - by };
        }
    }

    public static string Address(string prefix) => $"s3://{Bucket}/{prefix}";

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _serving;
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var socket = await _listener.AcceptTcpClientAsync(_stop.Token);
                _ = Task.Run(() => HandleAsync(socket));
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Answers the requests of a connection, until it breaks.</summary>
    private async Task HandleAsync(TcpClient socket)
    {
        using (socket)
        {
            try
            {
                await using var stream = socket.GetStream();
                await using var sent = new BufferedStream(stream, 1 << 16);
                while (await ObjectRequest.ReadAsync(sent, stream, _stop.Token) is { } request)
                {
                    var fault = Fault?.Invoke(request);
                    if (fault == ObjectFault.Torn) return;
                    if (fault == ObjectFault.Hung) await Task.Delay(Timeout.InfiniteTimeSpan, _stop.Token);
                    var answer = fault is { Status: > 0 } ? ObjectAnswer.Error(fault.Status, fault.Code) : Answer(request);
                    if (fault == ObjectFault.AnswerLost) return;
                    await answer.WriteAsync(stream, isHead: request.Method == "HEAD", _stop.Token, isHalf: fault == ObjectFault.HungInBody, ahead: Ahead);
                    if (fault == ObjectFault.HungInBody) await Task.Delay(Timeout.InfiniteTimeSpan, _stop.Token);
                }
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException)
            {
                // Who asked is gone, or the test has ended.
            }
        }
    }

    private ObjectAnswer Answer(ObjectRequest request)
    {
        if (request.Refusal(AccessKey, SecretKey) is { } refusal) return refusal;
        if (request.Bucket != Bucket) return ObjectAnswer.Error(404, "NoSuchBucket");
        lock (_gate)
        {
            return (request.Method, request.Key) switch
            {
                ("GET", "") => List(request),
                ("GET" or "HEAD", _) => Get(request),
                ("PUT", _) when request.Query.ContainsKey("partNumber") => PutPiece(request),
                ("PUT", _) => Put(request, request.Body),
                ("DELETE", _) when request.Query.TryGetValue("uploadId", out var upload) => _uploads.Remove(upload) ? ObjectAnswer.Empty(204) : ObjectAnswer.Error(404, "NoSuchUpload"),
                ("DELETE", _) => Delete(request.Key),
                ("POST", _) when request.Query.ContainsKey("uploads") => Begin(request.Key),
                ("POST", _) when request.Query.ContainsKey("uploadId") => Complete(request),
                _ => ObjectAnswer.Error(405, "MethodNotAllowed"),
            };
        }
    }

    private ObjectAnswer Get(ObjectRequest request)
    {
        if (!_objects.TryGetValue(request.Key, out var found)) return ObjectAnswer.Error(404, "NoSuchKey");
        if (request.IfMatch is { } wanted && wanted != "*" && wanted != found.Tag) return ObjectAnswer.Error(412, "PreconditionFailed");
        if (request.IfNoneMatch is { } known && (known == "*" || known == found.Tag)) return ObjectAnswer.Empty(304, found.Tag);
        var (status, bytes, place) = (200, found.Bytes, (string?)null);
        if (request.Range is { } range)
        {
            if (range.Start >= bytes.Length) return ObjectAnswer.Error(416, "InvalidRange");
            var end = Math.Min(range.End ?? long.MaxValue, bytes.Length - 1);
            (status, bytes, place) = (206, bytes[(int)range.Start..(int)(end + 1)], $"bytes {range.Start}-{end}/{found.Bytes.Length}");
        }

        if (request.Method == "GET") Interlocked.Add(ref _sent, bytes.Length);
        return new ObjectAnswer(status, bytes, "application/octet-stream", found.Tag, found.Written, place);
    }

    private ObjectAnswer Put(ObjectRequest request, byte[] body)
    {
        var there = _objects.GetValueOrDefault(request.Key);
        if (!IgnoresConditions && request.IfNoneMatch is { } known)
        {
            // As Amazon has it: a write takes no other value.
            if (known != "*") return ObjectAnswer.Error(501, "NotImplemented");
            if (there is not null) return ObjectAnswer.Error(412, "PreconditionFailed");
        }

        if (!IgnoresConditions && request.IfMatch is { } wanted)
        {
            if (there is null) return ObjectAnswer.Error(404, "NoSuchKey");
            if (wanted != there.Tag) return ObjectAnswer.Error(412, "PreconditionFailed");
        }

        var stored = new StoredObject(body, TagOf(body), DateTime.UtcNow + Ahead);
        _objects[request.Key] = stored;
        Interlocked.Add(ref _received, body.Length);
        return ObjectAnswer.Empty(200, stored.Tag);
    }

    private ObjectAnswer Delete(string key)
    {
        _objects.Remove(key);
        return ObjectAnswer.Empty(204);
    }

    private ObjectAnswer List(ObjectRequest request)
    {
        if (request.Query.GetValueOrDefault("list-type") != "2") return ObjectAnswer.Error(501, "NotImplemented");
        var (prefix, delimiter) = (request.Query.GetValueOrDefault("prefix", ""), request.Query.GetValueOrDefault("delimiter", ""));
        var most = Math.Min(MostListed, int.Parse(request.Query.GetValueOrDefault("max-keys", "1000"), CultureInfo.InvariantCulture));
        var after = request.Query.TryGetValue("continuation-token", out var token) ? Encoding.UTF8.GetString(Convert.FromHexString(token)) : "";
        var entries = _objects.Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal))
            .GroupBy(entry => delimiter.Length > 0 && entry.Key.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal) is >= 0 and var end ? entry.Key[..(end + delimiter.Length)] : entry.Key, StringComparer.Ordinal)
            .Where(group => string.CompareOrdinal(group.Key, after) > 0).ToList();
        var text = new StringBuilder("<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
        text.Append(CultureInfo.InvariantCulture, $"<Name>{Bucket}</Name><Prefix>{prefix}</Prefix><KeyCount>{Math.Min(most, entries.Count)}</KeyCount><MaxKeys>{most}</MaxKeys>");
        foreach (var group in entries.Take(most))
        {
            if (delimiter.Length > 0 && group.Key.EndsWith(delimiter, StringComparison.Ordinal)) text.Append(CultureInfo.InvariantCulture, $"<CommonPrefixes><Prefix>{group.Key}</Prefix></CommonPrefixes>");
            else if (group.First().Value is var found)
                text.Append(CultureInfo.InvariantCulture, $"<Contents><Key>{group.Key}</Key><LastModified>{found.Written:yyyy-MM-ddTHH:mm:ss.fffZ}</LastModified><ETag>{WebUtility.HtmlEncode(found.Tag)}</ETag><Size>{found.Bytes.Length}</Size></Contents>");
        }

        var isMore = entries.Count > most;
        text.Append(CultureInfo.InvariantCulture, $"<IsTruncated>{(isMore ? "true" : "false")}</IsTruncated>");
        if (isMore) text.Append(CultureInfo.InvariantCulture, $"<NextContinuationToken>{Convert.ToHexString(Encoding.UTF8.GetBytes(entries[most - 1].Key))}</NextContinuationToken>");
        return ObjectAnswer.Xml(text.Append("</ListBucketResult>").ToString());
    }

    private ObjectAnswer Begin(string key)
    {
        var upload = $"{Guid.NewGuid():N}";
        _uploads[upload] = [];
        return ObjectAnswer.Xml($"<InitiateMultipartUploadResult><Bucket>{Bucket}</Bucket><Key>{key}</Key><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>");
    }

    private ObjectAnswer PutPiece(ObjectRequest request)
    {
        if (!_uploads.TryGetValue(request.Query.GetValueOrDefault("uploadId", ""), out var pieces)) return ObjectAnswer.Error(404, "NoSuchUpload");
        pieces[int.Parse(request.Query["partNumber"], CultureInfo.InvariantCulture)] = request.Body;
        return ObjectAnswer.Empty(200, TagOf(request.Body));
    }

    private ObjectAnswer Complete(ObjectRequest request)
    {
        const int LeastPiece = 5 << 20;
        if (!_uploads.TryGetValue(request.Query["uploadId"], out var pieces)) return ObjectAnswer.Error(404, "NoSuchUpload");
        if (pieces.Values.SkipLast(1).Any(piece => piece.Length < LeastPiece)) return ObjectAnswer.Error(400, "EntityTooSmall");
        var answer = Put(request, [.. pieces.Values.SelectMany(piece => piece)]);
        if (answer.Status != 200) return answer;
        _uploads.Remove(request.Query["uploadId"]);
        return ObjectAnswer.Xml($"<CompleteMultipartUploadResult><Bucket>{Bucket}</Bucket><Key>{request.Key}</Key><ETag>{WebUtility.HtmlEncode(answer.Tag)}</ETag></CompleteMultipartUploadResult>");
    }

    [SuppressMessage("Security", "CA5351", Justification = "The protocol's tags are MD5.")]
    private static string TagOf(byte[] bytes) => $"\"{Convert.ToHexStringLower(MD5.HashData(bytes))}\"";

    private sealed record StoredObject(byte[] Bytes, string Tag, DateTime Written);
}

/// <summary>How a request fails.</summary>
internal sealed record ObjectFault(int Status, string Code)
{
    /// <summary>The connection breaks before all of the body has come: nothing is stored.</summary>
    public static ObjectFault Torn { get; } = new(0, "torn");

    /// <summary>It is done, and nobody hears of it.</summary>
    public static ObjectFault AnswerLost { get; } = new(0, "lost");

    /// <summary>The connection stays, and nothing comes.</summary>
    public static ObjectFault Hung { get; } = new(0, "hung");

    /// <summary>The head and half of the body come, and then nothing.</summary>
    public static ObjectFault HungInBody { get; } = new(0, "hung in the body");
}
