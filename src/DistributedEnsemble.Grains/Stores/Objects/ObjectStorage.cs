using System.Runtime.ExceptionServices;
using DistributedEnsemble.Files;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Stores.Objects;

/// <summary>
/// The files of runs as objects of an S3-compatible store, named as in a folder. An object is replaced whole, so a file that grows
/// is kept as parts, NAME.parts/START-END, the last of which become one where they are no longer than what is added: there are few,
/// and each byte is written a few times.
/// </summary>
internal sealed class ObjectStorage : RunStorage, IDisposable
{
    /// <summary>What is longer goes over the disk.</summary>
    private const long MostInMemory = 4 << 20;

    /// <summary>How long a process that trains may write no run.json: it does each second.</summary>
    private static readonly TimeSpan s_atWork = TimeSpan.FromSeconds(30);

    private readonly ObjectStoreAddress _address;
    private readonly ScratchFiles _scratch;
    private readonly ObjectRequests _requests;
    private readonly StoreHealth _health;

    /// <param name="scratch">A folder for what is on its way.</param>
    public ObjectStorage(ObjectStoreAddress address, string scratch, TimeProvider? time = null)
    {
        (_address, _scratch, Time) = (address, new ScratchFiles(scratch), time ?? TimeProvider.System);
        _requests = new ObjectRequests(address, Time);
        _health = new StoreHealth(LookAsync, Time);
    }

    public override string Place => _address.ToString();

    protected override TimeProvider Time { get; }

    /// <summary>Who answers, for people.</summary>
    public string Server => _address.Server;

    /// <inheritdoc cref="ObjectRequests.Patience"/>
    public TimeSpan? Patience
    {
        set => _requests.Patience = value;
    }

    /// <summary>As of the last answer.</summary>
    public override DateTimeOffset Now => _requests.Now;

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
            await _requests.HasAsync("");
            if (use == StoreUse.Read) return;
            var probe = $".check-{Guid.NewGuid():N}";
            await _requests.PutAsync(probe, new MemoryStream(), only: use == StoreUse.WriteRecords ? "*" : null);
            var isKept = use == StoreUse.WriteRecords && await _requests.PutAsync(probe, new MemoryStream(), only: "*");
            await _requests.DeleteAsync(probe);
            if (isKept)
                throw new ObjectStoreAddressException(
                    $"{_address} at {_address.Server} ignores conditions of writes (If-None-Match), so two processes could train one run: use a store that knows them, or a cluster, whose records are in Redis.");
        }
        catch (IOException exception) when (exception is not StorageAwayException)
        {
            throw new ObjectStoreAddressException(exception.Message);
        }
    }

    public override Stream OpenRead(string name) => Wait(OpenAsync(name, long.MaxValue));

    public override Stream OpenRead(string name, long from) => OpenParts(name, from) ?? throw new FileNotFoundException($"There is no {PathOf(name)}.");

    protected override Stream OpenLimited(string name, long most) => Wait(OpenAsync(name, most));

    public override T Write<T>(string name, Func<Stream, T> write)
    {
        using var file = _scratch.Create();
        var result = write(file);
        file.Flush();
        Wait(_requests.PutAsync(name, file));
        return result;
    }

    public override void Append(string name, long place, ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        var (parts, start, end) = (PartsOf(name), place, place + bytes.Length);
        var tiles = ObjectPart.Tiles(parts, end);
        var length = tiles.Count == 0 ? 0 : tiles[^1].End;
        if (length < place) throw FolderStorage.Shorter(PathOf(name), length, place);
        var joined = bytes.ToArray();
        // Of two parts that have the same bytes one would be read in vain: what reaches behind the place becomes one with them.
        while (tiles.Count > 0 && tiles[^1] is var last && (last.IsAll || last.End > start || last.End - last.Start <= end - start))
        {
            var there = ReadAllBytes(last.Name, last.End - last.Start);
            var (before, behind) = ((int)Math.Max(start - last.Start, 0), (int)Math.Min(end - last.Start, there.Length));
            joined = [.. there[..before], .. joined, .. there[behind..]];
            (start, end) = (Math.Min(start, last.Start), Math.Max(end, last.End));
            tiles.RemoveAt(tiles.Count - 1);
        }

        var written = ObjectPart.Of(name, start, end);
        Write(written.Name, joined);
        foreach (var part in parts.Where(part => part != written && (part.IsAll || (part.Start >= start && part.End <= end)))) Delete(part.Name);
    }

    public override StoredFile? Find(string name) => Wait(_requests.FindAsync(name));

    public override void Delete(string name) => Wait(_requests.DeleteAsync(name));

    public override IEnumerable<StoredFile> List(string prefix) => Wait(_requests.ListAsync(prefix));

    public override IReadOnlyList<string> Folders() => Wait(_requests.FoldersAsync());

    public override bool IsLink(string run) => false;

    public override bool Has(string run) => Wait(_requests.HasAsync($"{run}/"));

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

    protected override void RemoveFiles(string run, string? mark, Moment marked)
    {
        // So many that the mark is renewed long before it is forgotten, however slow the store is.
        const int MostAtOnceRemoved = 40;
        // Without these it is no run any more; what is left when this process ends goes with the next run of that name.
        Remove($"{run}/{RunFolder.RecordFile}");
        Remove($"{run}/{RunFolder.StatusFile}");
        foreach (var some in List($"{run}/").Where(file => !IsMark(file)).Chunk(MostAtOnceRemoved))
        {
            All(some, file => Remove(file.Name));
            if (mark is null) continue;
            // One that was forgotten is not renewed: somebody may have taken the name.
            CheckAwake();
            var now = Moment.Of(Time);
            Write(mark, default);
            marked = now;
        }

        if (mark is not null) Delete(mark);

        // Another removal is as little at its end when this one is: it removes its own.
        bool IsMark(StoredFile file) => file.Name == mark || (file.Name.StartsWith($"{run}/{RunFolder.Removals}/", StringComparison.Ordinal) && file.Written > Now - Forgotten);

        void Remove(string name) => Wait(_requests.DeleteAsync(name, CheckAwake));

        // A process that slept, as a machine does that is shut and opened, may find another run of that name.
        void CheckAwake()
        {
            var since = marked.Since;
            if (mark is null || since < Forgotten / 2) return;
            throw new IOException(
                $"Run \"{run}\" is gone, but not all of its files: removing them stood still for {since.TotalMinutes:0} minutes, and the name may be another run's by now. What is left in {PathOf(run)} goes with the next run of that name.");
        }
    }

    /// <summary>Whether a run took the name a moment ago, and is not all there yet.</summary>
    private bool IsBeginning(RunFolder run) =>
        run.Find(RunFolder.ClaimFile) is { } claim && IsAtWork(claim.Written) && !(run.Exists(RunFolder.RecordFile) && run.Exists(RunFolder.StatusFile));

    private void Clear(IEnumerable<StoredFile> files) => All(files, file => Delete(file.Name));

    private static void All(IEnumerable<StoredFile> files, Action<StoredFile> act)
    {
        try
        {
            Parallel.ForEach(files, new ParallelOptions { MaxDegreeOfParallelism = 8 }, act);
        }
        catch (AggregateException several)
        {
            // One line for people, of the first deletion that failed.
            ExceptionDispatchInfo.Throw(several.Flatten().InnerExceptions[0]);
        }
    }

    public void Dispose() => _requests.Dispose();

    /// <summary>The parts of a file that grows, and the file itself where it was put there whole.</summary>
    internal List<ObjectPart> PartsOf(string name) => [.. List(name).Select(file => ObjectPart.Parse(name, file)).OfType<ObjectPart>()];

    /// <inheritdoc cref="ObjectRequests.ReadRangeAsync"/>
    internal byte[] ReadRange(string name, long start, int count) => Wait(_requests.ReadRangeAsync(name, start, count));

    /// <summary>A small object, and what <see cref="TryReplace"/> takes it for.</summary>
    /// <returns>Null if there is none.</returns>
    internal TaggedObject? ReadTagged(string name) => Wait(_requests.ReadTaggedAsync(name));

    /// <summary>Writes an object if it still is the one that was read.</summary>
    /// <param name="tag">Null if there was none.</param>
    /// <returns>Whether it was; false, too, where it was, and the first answer was lost.</returns>
    internal bool TryReplace(string name, byte[] bytes, string? tag) => Wait(_requests.PutAsync(name, new MemoryStream(bytes), only: tag ?? "*"));

    /// <summary>A store that takes no writes may still list: after one that failed, something is written.</summary>
    /// <returns>Why it cannot be used; null if it can.</returns>
    private async Task<string?> LookAsync()
    {
        try
        {
            await CheckAsync(_requests.RefusesWrites ? StoreUse.Write : StoreUse.Read);
            return null;
        }
        catch (Exception exception) when (exception is IOException or ObjectStoreAddressException)
        {
            return exception.Message;
        }
    }

    /// <exception cref="InvalidDataException">It has more bytes than it may have; they are not fetched.</exception>
    private async Task<Stream> OpenAsync(string name, long most)
    {
        var found = 0L;
        try
        {
            return await _requests.ReadAsync(name, length => (found = length) > most ? null : length <= MostInMemory ? new MemoryStream() : _scratch.Create())
                ?? throw TooLong(PathOf(name), found, most);
        }
        catch (FileNotFoundException) when (name.EndsWith(".jsonl", StringComparison.Ordinal) && OpenParts(name, from: 0) is { } parts)
        {
            return parts;
        }
    }

    /// <returns>Null if there is no such file.</returns>
    private ObjectParts? OpenParts(string name, long from) =>
        ObjectPart.Tiles(PartsOf(name), long.MaxValue) is { Count: > 0 } tiles ? new ObjectParts(this, name, tiles, from) : null;

    /// <summary>Files are read and written by threads that may wait.</summary>
    private static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();

    private static void Wait(Task task) => task.GetAwaiter().GetResult();
}

/// <summary>What a store of objects is opened for.</summary>
internal enum StoreUse
{
    Read,
    Write,

    /// <summary>Two processes that write a record must find each other: the store must know conditions.</summary>
    WriteRecords,
}
