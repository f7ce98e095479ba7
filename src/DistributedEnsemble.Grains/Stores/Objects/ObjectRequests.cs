using System.Net;
using System.Text;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Amazon.S3.Transfer;
using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Resilience;
using DistributedEnsemble.Training.Files;
using Polly;

namespace DistributedEnsemble.Grains.Stores.Objects;

/// <summary>
/// Requests to a store of objects, by names without its prefix. One that fails for a moment is made again for a while; what is refused, or
/// not answered by then, is one line for people.
/// </summary>
internal sealed class ObjectRequests : IDisposable
{
    /// <summary>What is longer goes up in pieces.</summary>
    private const long MostAtOnce = 128L << 20;

    /// <summary>
    /// How long nothing may move before a request is given up, and tried again. The end of a body, which this machine still holds when
    /// its last byte is read, takes as long on a line of some hundred KiB/s.
    /// </summary>
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(15), s_silenceOfWrites = TimeSpan.FromSeconds(60);

    private readonly ObjectStoreAddress _address;
    private readonly TimeProvider _time;
    private readonly ServerClock _clock;
    private readonly AmazonS3Client _client;
    private readonly TransferUtility _transfers;
    private readonly ResiliencePipeline _retries;
    private volatile bool _refusesWrites;

    public ObjectRequests(ObjectStoreAddress address, TimeProvider time)
    {
        (_address, _time) = (address, time);
        _clock = new ServerClock(TimeSpan.FromSeconds(5), _time);
        var config = new AmazonS3Config
        {
            HttpClientFactory = _clock,
            AuthenticationRegion = address.Region,
            // Whatever fails is tried again in one place, the body of an answer too.
            MaxErrorRetry = 0,
            Timeout = Timeout.InfiniteTimeSpan,
            // Requests are signed with the sha256 of their bytes; other stores do not know Amazon's own checksums.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (address.Endpoint is { } endpoint) (config.ServiceURL, config.ForcePathStyle) = (endpoint.ToString(), true);
        else config.RegionEndpoint = Amazon.RegionEndpoint.GetBySystemName(address.Region);
        _client = address.Keys is { } keys ? new AmazonS3Client(keys, config) : new AmazonS3Client(config);
        _transfers = new TransferUtility(_client);
        _retries = Retries.Of<StorageAwayException>(_time, most: 4, first: TimeSpan.FromMilliseconds(200), longest: TimeSpan.FromSeconds(3));
    }

    /// <summary>How long nothing may move, in all tries of a request together, until whoever waits for it is told; null where runs wait for the store.</summary>
    public TimeSpan? Patience { get; set; }

    /// <summary>What time it is by the store's clock, as of the last answer.</summary>
    public DateTimeOffset Now => _clock.Now;

    /// <summary>Whether the last write was refused, or not answered.</summary>
    public bool RefusesWrites => _refusesWrites;

    public void Dispose()
    {
        _transfers.Dispose();
        _client.Dispose();
    }

    /// <returns>Null if there is no such object.</returns>
    public Task<StoredFile?> FindAsync(string name) => AskAsync<StoredFile?>(name, async cancellation =>
    {
        try
        {
            var found = await _client.GetObjectMetadataAsync(_address.Bucket, KeyOf(name), cancellation);
            return new StoredFile(name, found.ContentLength, TimeOf(found.LastModified), found.ETag);
        }
        catch (AmazonS3Exception exception) when (IsMissing(exception))
        {
            return null;
        }
    });

    /// <returns>Whether any object's name begins so.</returns>
    public async Task<bool> HasAsync(string prefix)
    {
        var request = new ListObjectsV2Request { BucketName = _address.Bucket, Prefix = KeyOf(prefix), MaxKeys = 1 };
        return (await AskAsync(prefix, cancellation => _client.ListObjectsV2Async(request, cancellation))).S3Objects is { Count: > 0 };
    }

    /// <summary>The objects whose names begin so.</summary>
    public async Task<IReadOnlyList<StoredFile>> ListAsync(string prefix)
    {
        var pages = await PagesAsync(prefix, delimiter: null);
        return [.. pages.SelectMany(page => page.S3Objects ?? []).Select(entry => new StoredFile(entry.Key[_address.Prefix.Length..], entry.Size ?? 0, TimeOf(entry.LastModified)))];
    }

    /// <summary>What names have up to the first slash.</summary>
    public async Task<IReadOnlyList<string>> FoldersAsync()
    {
        var pages = await PagesAsync("", delimiter: "/");
        return [.. pages.SelectMany(page => page.CommonPrefixes ?? []).Select(prefix => prefix[_address.Prefix.Length..].TrimEnd('/'))];
    }

    /// <param name="before">Called before each try; what it throws ends them.</param>
    public async Task DeleteAsync(string name, Action? before = null) => await AskAsync(name, cancellation =>
    {
        before?.Invoke();
        return _client.DeleteObjectAsync(_address.Bucket, KeyOf(name), cancellation);
    });

    /// <summary>All of an object.</summary>
    /// <param name="make">Makes the stream for so many bytes; null lets none of them come.</param>
    /// <returns>Null if that was so.</returns>
    /// <exception cref="FileNotFoundException">There is no such object.</exception>
    public Task<Stream?> ReadAsync(string name, Func<long, Stream?> make) => AskAsync(name, s_silence, async request =>
    {
        using var answer = await _client.GetObjectAsync(_address.Bucket, KeyOf(name), request.Token);
        if (make(answer.ContentLength) is not { } file) return null;
        try
        {
            await CopyAsync(answer.ResponseStream, file, request);
            file.Position = 0;
            return file;
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
    });

    /// <summary>Some bytes of an object that has them.</summary>
    public Task<byte[]> ReadRangeAsync(string name, long start, int count) => AskAsync(name, s_silence, async request =>
    {
        var wanted = new GetObjectRequest { BucketName = _address.Bucket, Key = KeyOf(name), ByteRange = new ByteRange(start, start + count - 1) };
        using var answer = await _client.GetObjectAsync(wanted, request.Token);
        if (answer.ContentLength != count) throw new IOException($"{_address}/{name}: {count:N0} of its bytes were asked for, and {answer.ContentLength:N0} come.");
        var bytes = new byte[count];
        await CopyAsync(answer.ResponseStream, new MemoryStream(bytes), request);
        return bytes;
    });

    /// <summary>A small object.</summary>
    /// <returns>Null if there is none.</returns>
    public Task<TaggedObject?> ReadTaggedAsync(string name) => AskAsync<TaggedObject?>(name, s_silence, async request =>
    {
        try
        {
            using var answer = await _client.GetObjectAsync(_address.Bucket, KeyOf(name), request.Token);
            if (answer.ContentLength > RunStorage.MostJsonBytes) throw new IOException(RunStorage.TooLong($"{_address}/{name}", answer.ContentLength, RunStorage.MostJsonBytes).Message);
            using var bytes = new MemoryStream();
            await CopyAsync(answer.ResponseStream, bytes, request);
            return new TaggedObject(bytes.ToArray(), answer.ETag, TimeOf(answer.LastModified));
        }
        catch (AmazonS3Exception exception) when (IsMissing(exception))
        {
            return null;
        }
    });

    /// <param name="only">Null writes whatever is there; "*" if nothing is; else if what is there has this tag.</param>
    /// <returns>Whether it was written.</returns>
    public async Task<bool> PutAsync(string name, Stream bytes, string? only = null)
    {
        try
        {
            var isWritten = await TryPutAsync(name, bytes, only);
            _refusesWrites = false;
            return isWritten;
        }
        catch
        {
            _refusesWrites = true;
            throw;
        }
    }

    private Task<bool> TryPutAsync(string name, Stream bytes, string? only) => AskAsync(name, s_silenceOfWrites, async request =>
    {
        bytes.Position = 0;
        await using var body = new MovingStream(bytes, request.Moved);
        try
        {
            if (bytes.Length > MostAtOnce)
            {
                await _transfers.UploadAsync(
                    new TransferUtilityUploadRequest { BucketName = _address.Bucket, Key = KeyOf(name), InputStream = body, AutoCloseStream = false }, request.Token);
                return true;
            }

            await _client.PutObjectAsync(
                new PutObjectRequest
                {
                    BucketName = _address.Bucket, Key = KeyOf(name), InputStream = body, AutoCloseStream = false, UseChunkEncoding = false,
                    IfNoneMatch = only == "*" ? only : null, IfMatch = only == "*" ? null : only,
                },
                request.Token);
            return true;
        }
        // What was read may be gone, too.
        catch (AmazonS3Exception exception) when (only is not null && (exception.StatusCode == HttpStatusCode.PreconditionFailed || (only != "*" && IsMissing(exception))))
        {
            return false;
        }
    });

    private static async Task CopyAsync(Stream answer, Stream to, Silence request)
    {
        request.Moved();
        await using var moving = new MovingStream(answer, request.Moved);
        await moving.CopyToAsync(to, request.Token);
    }

    private Task<T> AskAsync<T>(string name, Func<CancellationToken, Task<T>> ask) => AskAsync(name, s_silence, request => ask(request.Token));

    /// <summary>Asks until there is an answer, for a while.</summary>
    /// <param name="longest">How long nothing may move.</param>
    private async Task<T> AskAsync<T>(string name, TimeSpan longest, Func<Silence, Task<T>> ask)
    {
        using var patience = Patience is { } most ? new Silence(most, _time) : null;
        try
        {
            return await _retries.ExecuteAsync(_ => TryAsync(), patience?.Token ?? CancellationToken.None);
        }
        catch (Exception exception) when (patience?.Token.IsCancellationRequested == true && exception is OperationCanceledException or StorageAwayException)
        {
            throw ObjectStoreFailure.Silent(exception, _address, Patience!.Value);
        }

        async ValueTask<T> TryAsync()
        {
            using var request = new Silence(longest, _time, patience);
            try
            {
                return await ask(request);
            }
            // This machine's own disk refuses in its own words.
            catch (Exception exception) when (exception is not IOException { InnerException: null } or HttpIOException)
            {
                throw ObjectStoreFailure.Of(exception, _address, name);
            }
        }
    }

    private async Task<IReadOnlyList<ListObjectsV2Response>> PagesAsync(string prefix, string? delimiter)
    {
        var pages = new List<ListObjectsV2Response>();
        var request = new ListObjectsV2Request { BucketName = _address.Bucket, Prefix = KeyOf(prefix), Delimiter = delimiter };
        do
        {
            pages.Add(await AskAsync(prefix, cancellation => _client.ListObjectsV2Async(request, cancellation)));
            request.ContinuationToken = pages[^1].NextContinuationToken;
        }
        while (pages[^1].IsTruncated ?? false);
        return pages;
    }

    private string KeyOf(string name) => _address.Prefix + name;

    private static DateTimeOffset TimeOf(DateTime? written) => written?.ToUniversalTime() ?? DateTime.UnixEpoch;

    private static bool IsMissing(AmazonS3Exception exception) => exception.StatusCode == HttpStatusCode.NotFound && exception.ErrorCode != "NoSuchBucket";
}

/// <param name="Tag">Differs when it was replaced.</param>
internal sealed record TaggedObject(byte[] Bytes, string Tag, DateTimeOffset Written)
{
    public string Text => Encoding.UTF8.GetString(Bytes).Trim();
}
