using System.Net;
using System.Runtime.ExceptionServices;
using System.Text;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Amazon.S3.Transfer;
using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Resilience;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;
using Polly;

namespace DistributedEnsemble.Grains.Stores.Objects;

/// <summary>
/// The files of runs as objects of an S3-compatible store, named as in a folder. An object is replaced whole, so a file that grows
/// is kept as parts, NAME.parts/START-END, the last of which become one where they are no longer than what is added: there are few,
/// and each byte is written a few times.
/// </summary>
internal sealed class ObjectStorage : RunStorage, IDisposable
{
    /// <summary>What is longer goes over the disk, and up in pieces.</summary>
    private const long MostInMemory = 4 << 20, MostAtOnce = 128L << 20;

    /// <summary>
    /// How long nothing may move before a request is given up, and tried again. The end of a body, which this machine still holds when
    /// its last byte is read, takes as long on a line of some hundred KiB/s.
    /// </summary>
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(15), s_silenceOfWrites = TimeSpan.FromSeconds(60);

    /// <summary>How long a process that trains may write no run.json: it does each second.</summary>
    private static readonly TimeSpan s_atWork = TimeSpan.FromSeconds(30);

    private readonly ObjectStoreAddress _address;
    private readonly ScratchFiles _scratch;
    private readonly TimeProvider _time;
    private readonly ServerClock _clock;
    private readonly AmazonS3Client _client;
    private readonly TransferUtility _transfers;
    private readonly ResiliencePipeline _retries;
    private readonly StoreHealth _health;

    /// <summary>Whether the last write was refused, or not answered.</summary>
    private volatile bool _refusesWrites;

    /// <param name="scratch">A folder for what is on its way.</param>
    public ObjectStorage(ObjectStoreAddress address, string scratch, TimeProvider? time = null)
    {
        (_address, _scratch, _time) = (address, new ScratchFiles(scratch), time ?? TimeProvider.System);
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
        _health = new StoreHealth(LookAsync, _time);
    }

    public override string Place => _address.ToString();

    /// <summary>Who answers, for people.</summary>
    public string Server => _address.Server;

    /// <summary>As of the last answer.</summary>
    public override DateTimeOffset Now => _clock.Now;

    public override bool LagsBehind => false;

    public override bool Grows => false;

    public override string? Refusal => _health.Refusal;

    public override string PathOf(string name) => $"{_address}/{name}";

    /// <summary>Makes sure that the store can be used.</summary>
    /// <param name="use">What for.</param>
    /// <exception cref="ObjectStoreAddressException">There is no such bucket, or the keys are refused.</exception>
    /// <exception cref="StorageAwayException">Nobody answers there.</exception>
    public async Task CheckAsync(StoreUse use)
    {
        try
        {
            await AskAsync("", async cancellation => await _client.ListObjectsV2Async(
                new ListObjectsV2Request { BucketName = _address.Bucket, Prefix = _address.Prefix, MaxKeys = 1 }, cancellation));
            if (use == StoreUse.Read) return;
            var probe = $".check-{Guid.NewGuid():N}";
            await PutAsync(probe, new MemoryStream(), only: use == StoreUse.WriteRecords ? "*" : null);
            var isKept = use == StoreUse.WriteRecords && await PutAsync(probe, new MemoryStream(), only: "*");
            Delete(probe);
            if (isKept)
                throw new ObjectStoreAddressException(
                    $"{_address} at {_address.Server} ignores conditions of writes (If-None-Match), so two processes could train one run: use a store that knows them, or a cluster, whose records are in Redis.");
        }
        catch (IOException exception) when (exception is not StorageAwayException)
        {
            throw new ObjectStoreAddressException(exception.Message);
        }
    }

    public override Stream OpenRead(string name) => Wait(OpenAsync(name));

    public override Stream OpenRead(string name, long from) => OpenParts(name, from) ?? throw new FileNotFoundException($"There is no {PathOf(name)}.");

    public override T Write<T>(string name, Func<Stream, T> write)
    {
        using var file = _scratch.Create();
        var result = write(file);
        file.Flush();
        Wait(PutAsync(name, file));
        return result;
    }

    public override void Append(string name, long place, ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        var (parts, end) = (PartsOf(name), place + bytes.Length);
        var tiles = ObjectPart.Tiles(parts, place);
        if (tiles.Count == 0 ? place > 0 : tiles[^1].End < place) throw FolderStorage.Shorter(PathOf(name), tiles.Count == 0 ? 0 : tiles[^1].End, place);
        var joined = bytes.ToArray();
        var start = place;
        while (tiles.Count > 0 && tiles[^1] is var last && (last.IsAll || last.End - last.Start <= end - start))
        {
            var before = ReadAllBytes(last.Name)[..(int)(start - last.Start)];
            (joined, start) = ([.. before, .. joined], last.Start);
            tiles.RemoveAt(tiles.Count - 1);
        }

        var written = ObjectPart.Of(name, start, end);
        Write(written.Name, joined);
        foreach (var part in parts.Where(part => part != written && (part.IsAll || (part.Start >= start && part.End <= end)))) Delete(part.Name);
    }

    public override StoredFile? Find(string name) => Wait(AskAsync<StoredFile?>(name, async cancellation =>
    {
        try
        {
            var found = await _client.GetObjectMetadataAsync(_address.Bucket, KeyOf(name), cancellation);
            return new StoredFile(name, found.ContentLength, found.LastModified?.ToUniversalTime() ?? DateTime.UnixEpoch, found.ETag);
        }
        catch (AmazonS3Exception exception) when (IsMissing(exception))
        {
            return null;
        }
    }));

    public override void Delete(string name) => Wait(AskAsync(name, cancellation => _client.DeleteObjectAsync(_address.Bucket, KeyOf(name), cancellation)));

    public override IEnumerable<StoredFile> List(string prefix)
    {
        var found = new List<StoredFile>();
        var request = new ListObjectsV2Request { BucketName = _address.Bucket, Prefix = KeyOf(prefix) };
        bool isMore;
        do
        {
            var page = Wait(AskAsync(prefix, cancellation => _client.ListObjectsV2Async(request, cancellation)));
            foreach (var entry in page.S3Objects ?? [])
                found.Add(new StoredFile(entry.Key[_address.Prefix.Length..], entry.Size ?? 0, entry.LastModified?.ToUniversalTime() ?? DateTime.UnixEpoch));
            request.ContinuationToken = page.NextContinuationToken;
            isMore = page.IsTruncated ?? false;
        }
        while (isMore);
        return found;
    }

    public override bool IsLink(string run) => false;

    public override bool Has(string run) => Wait(AskAsync(run, async cancellation => await _client.ListObjectsV2Async(
        new ListObjectsV2Request { BucketName = _address.Bucket, Prefix = KeyOf($"{run}/"), MaxKeys = 1 }, cancellation))).S3Objects is { Count: > 0 };

    /// <summary>One that has written its run.json within the last half minute, by the store's clock.</summary>
    public override bool IsInTraining(RunFolder run) =>
        run.Find(RunFolder.StatusFile) is { } status && status.Written > Now - s_atWork && RunStatusFile.Read(run) is { State: RunState.Running or RunState.Queued };

    public override Task<bool> TryRemoveAsync(RunFolder run) => Task.Run(() => RemoveAsync(run.Name, () => Task.FromResult(!IsInTraining(run) && !IsBeginning(run))));

    public override void Prepare(string run) => Clear(List($"{run}/").Where(file => file.Name != ClaimOf(run)));

    /// <summary>Of an object of that name only one run can be the writer, where the store knows conditions.</summary>
    internal static string ClaimOf(string run) => $"{run}/{RunFolder.ClaimFile}";

    /// <summary>Whether a claim without a record may still be somebody's.</summary>
    internal bool IsAtWork(DateTimeOffset claimed) => claimed > Now - Forgotten;

    protected override bool TryMark(string run, string mark)
    {
        try
        {
            Write(mark, default);
            return true;
        }
        catch (IOException exception) when (exception is not StorageAwayException)
        {
            return false;
        }
    }

    protected override void RemoveFiles(string run, string? mark)
    {
        // So many that the mark is not forgotten, however slow the store is.
        const int MostAtOnceRemoved = 40;
        // Without these it is no run any more; what is left when this process ends goes with the next run of that name.
        Delete($"{run}/{RunFolder.RecordFile}");
        Delete($"{run}/{RunFolder.StatusFile}");
        foreach (var some in List($"{run}/").Where(file => file.Name != mark).Chunk(MostAtOnceRemoved))
        {
            Clear(some);
            if (mark is not null) Write(mark, default);
        }

        if (mark is not null) Delete(mark);
    }

    /// <summary>Whether a run took the name a moment ago, and is not all there yet.</summary>
    private bool IsBeginning(RunFolder run) =>
        run.Find(RunFolder.ClaimFile) is { } claim && IsAtWork(claim.Written) && !(run.Exists(RunFolder.RecordFile) && run.Exists(RunFolder.StatusFile));

    private void Clear(IEnumerable<StoredFile> files)
    {
        try
        {
            Parallel.ForEach(files, new ParallelOptions { MaxDegreeOfParallelism = 8 }, file => Delete(file.Name));
        }
        catch (AggregateException several)
        {
            // One line for people, of the first deletion that failed.
            ExceptionDispatchInfo.Throw(several.Flatten().InnerExceptions[0]);
        }
    }

    public void Dispose()
    {
        _transfers.Dispose();
        _client.Dispose();
    }

    public override IReadOnlyList<string> Folders()
    {
        var found = new List<string>();
        var request = new ListObjectsV2Request { BucketName = _address.Bucket, Prefix = _address.Prefix, Delimiter = "/" };
        bool isMore;
        do
        {
            var page = Wait(AskAsync("", cancellation => _client.ListObjectsV2Async(request, cancellation)));
            found.AddRange((page.CommonPrefixes ?? []).Select(prefix => prefix[_address.Prefix.Length..].TrimEnd('/')));
            request.ContinuationToken = page.NextContinuationToken;
            isMore = page.IsTruncated ?? false;
        }
        while (isMore);
        return found;
    }

    /// <summary>The parts of a file that grows, and the file itself where it was put there whole.</summary>
    internal List<ObjectPart> PartsOf(string name) => [.. List(name).Select(file => ObjectPart.Parse(name, file)).OfType<ObjectPart>()];

    /// <summary>Some bytes of an object that has them.</summary>
    internal byte[] ReadRange(string name, long start, int count) => Wait(AskAsync(name, s_silence, async request =>
    {
        var wanted = new GetObjectRequest { BucketName = _address.Bucket, Key = KeyOf(name), ByteRange = new ByteRange(start, start + count - 1) };
        using var answer = await _client.GetObjectAsync(wanted, request.Token);
        if (answer.ContentLength != count) throw new IOException($"{PathOf(name)}: {count:N0} of its bytes were asked for, and {answer.ContentLength:N0} come.");
        var bytes = new byte[count];
        await CopyAsync(answer.ResponseStream, new MemoryStream(bytes), request);
        return bytes;
    }));

    /// <summary>A small object, and what <see cref="TryReplace"/> takes it for.</summary>
    /// <returns>Null if there is none.</returns>
    internal TaggedObject? ReadTagged(string name) => Wait(AskAsync<TaggedObject?>(name, s_silence, async request =>
    {
        try
        {
            using var answer = await _client.GetObjectAsync(_address.Bucket, KeyOf(name), request.Token);
            using var bytes = new MemoryStream();
            await CopyAsync(answer.ResponseStream, bytes, request);
            return new TaggedObject(bytes.ToArray(), answer.ETag, answer.LastModified?.ToUniversalTime() ?? DateTime.UnixEpoch);
        }
        catch (AmazonS3Exception exception) when (IsMissing(exception))
        {
            return null;
        }
    }));

    /// <summary>Writes an object if it still is the one that was read.</summary>
    /// <param name="tag">Null if there was none.</param>
    /// <returns>Whether it was; false, too, where it was, and the first answer was lost.</returns>
    internal bool TryReplace(string name, byte[] bytes, string? tag) => Wait(PutAsync(name, new MemoryStream(bytes), only: tag ?? "*"));

    /// <summary>A store that takes no writes may still list: after one that failed, something is written.</summary>
    /// <returns>Why it cannot be used; null if it can.</returns>
    private async Task<string?> LookAsync()
    {
        try
        {
            await CheckAsync(_refusesWrites ? StoreUse.Write : StoreUse.Read);
            return null;
        }
        catch (Exception exception) when (exception is IOException or ObjectStoreAddressException)
        {
            return exception.Message;
        }
    }

    private async Task<Stream> OpenAsync(string name)
    {
        try
        {
            return await AskAsync(name, s_silence, async request =>
            {
                using var answer = await _client.GetObjectAsync(_address.Bucket, KeyOf(name), request.Token);
                Stream file = answer.ContentLength <= MostInMemory ? new MemoryStream() : _scratch.Create();
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
        }
        catch (FileNotFoundException) when (name.EndsWith(".jsonl", StringComparison.Ordinal) && OpenParts(name, from: 0) is { } parts)
        {
            return parts;
        }
    }

    /// <param name="only">Null writes whatever is there; "*" if nothing is; else if what is there has this tag.</param>
    /// <returns>Whether it was written.</returns>
    private async Task<bool> PutAsync(string name, Stream bytes, string? only = null)
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
    private async Task<T> AskAsync<T>(string name, TimeSpan longest, Func<Silence, Task<T>> ask) => await _retries.ExecuteAsync(async _ =>
    {
        using var request = new Silence(longest, _time);
        try
        {
            return await ask(request);
        }
        // This machine's own disk refuses in its own words.
        catch (Exception exception) when (exception is not IOException { InnerException: null } or HttpIOException)
        {
            throw ObjectStoreFailure.Of(exception, _address, name);
        }
    });

    /// <returns>Null if there is no such file.</returns>
    private ObjectParts? OpenParts(string name, long from) =>
        ObjectPart.Tiles(PartsOf(name), long.MaxValue) is { Count: > 0 } tiles ? new ObjectParts(this, name, tiles, from) : null;

    private string KeyOf(string name) => _address.Prefix + name;

    private static bool IsMissing(AmazonS3Exception exception) => exception.StatusCode == HttpStatusCode.NotFound && exception.ErrorCode != "NoSuchBucket";

    /// <summary>Files are read and written by threads that may wait.</summary>
    private static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();
}

/// <param name="Tag">Differs when it was replaced.</param>
internal sealed record TaggedObject(byte[] Bytes, string Tag, DateTimeOffset Written)
{
    public string Text => Encoding.UTF8.GetString(Bytes).Trim();
}

/// <summary>What a store of objects is opened for.</summary>
internal enum StoreUse
{
    Read,
    Write,

    /// <summary>Two processes that write a record must find each other: the store must know conditions.</summary>
    WriteRecords,
}
