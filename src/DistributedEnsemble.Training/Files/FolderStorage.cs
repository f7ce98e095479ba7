namespace DistributedEnsemble.Training.Files;

/// <summary>A folder of this machine, or one that machines share.</summary>
/// <param name="folder">May be reached through links; what lies below it may not.</param>
internal sealed class FolderStorage(string folder) : RunStorage
{
    /// <summary>A name that no run can have, so that no reader takes what is left of a run for one.</summary>
    private const string Deleted = ".deleted-";

    /// <summary>What a link leads to is not of this folder.</summary>
    private static readonly EnumerationOptions s_withoutLinks = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };

    public override string Place { get; } = Path.GetFullPath(folder);

    public override DateTimeOffset Now => DateTimeOffset.UtcNow;

    public override bool LagsBehind => true;

    public override bool Grows => true;

    /// <summary>None: a silo that cannot reach its folder does not start, and what becomes of one later, each write says.</summary>
    public override string? Refusal => null;

    public override string PathOf(string name) => Path.Combine([Place, .. name.Split('/')]);

    public override Stream OpenRead(string name)
    {
        try
        {
            return RegularFile.OpenRead(Place, PathOf(name));
        }
        catch (DirectoryNotFoundException exception)
        {
            throw new FileNotFoundException(exception.Message, PathOf(name), exception);
        }
    }

    public override Stream OpenRead(string name, long from)
    {
        var file = OpenRead(name);
        file.Position = Math.Min(from, file.Length);
        return file;
    }

    public override T Write<T>(string name, Func<Stream, T> write)
    {
        var path = PathOf(name);
        RegularFile.RefuseLinks(Place, path);
        return AtomicFile.Write(path, write);
    }

    public override void Append(string name, long place, ReadOnlySpan<byte> bytes)
    {
        var path = PathOf(name);
        RegularFile.RefuseLinks(Place, path);
        NewFolder.Create(Path.GetDirectoryName(path)!);
        using var file = RegularFile.OpenWrite(Place, path, creates: true);
        if (file.Length < place) throw Shorter(path, file.Length, place);
        FileOperations.Before("append", path);
        file.Position = place;
        file.Write(bytes);
        FileOperations.Before("flush", path);
        file.Flush(flushToDisk: true);
    }

    public override StoredFile? Find(string name)
    {
        FileOperations.BeforeReading("find", PathOf(name));
        return new FileInfo(PathOf(name)) is { Exists: true } file ? new StoredFile(name, file.Length, file.LastWriteTimeUtc) : null;
    }

    public override IReadOnlyList<string> Folders()
    {
        FileOperations.BeforeReading("list", Place);
        return Directory.Exists(Place) ? [.. Directory.EnumerateDirectories(Place).Select(folder => Path.GetFileName(folder))] : [];
    }

    public override void Delete(string name) => FileOperations.Delete(PathOf(name));

    public override IEnumerable<StoredFile> List(string prefix)
    {
        var below = new DirectoryInfo(PathOf(prefix.TrimEnd('/')));
        FileOperations.BeforeReading("list", below.FullName);
        if (!below.Exists) return [];
        return below.EnumerateFiles("*", s_withoutLinks).ToList().Select(file => new StoredFile(
            Path.GetRelativePath(Place, file.FullName).Replace(Path.DirectorySeparatorChar, '/'), file.Exists ? file.Length : 0, file.LastWriteTimeUtc));
    }

    public override bool IsLink(string run) => new DirectoryInfo(PathOf(run)).LinkTarget is not null;

    public override bool Has(string run) => Directory.Exists(PathOf(run));

    /// <summary>One that holds the lock of its folder.</summary>
    public override bool IsInTraining(RunFolder run) => RunLock.IsHeld(run);

    public override async Task<bool> TryRemoveAsync(RunFolder run)
    {
        using (var alone = await RunLock.TryAcquireAloneAsync(run))
        {
            if (alone is null) return false;
            SetAside(run.Name);
        }

        ClearDeleted();
        return true;
    }

    /// <summary>What is left of a deletion has another name.</summary>
    public override void Prepare(string run) => NewFolder.Create(PathOf(run));

    /// <summary>Nobody takes the name of a record that is there, and it goes with all else at once.</summary>
    protected override bool TryMark(string run, string mark)
    {
        if (IsLink(run) || Find($"{run}/{RunFolder.RecordFile}") is not null) return false;
        try
        {
            Write(mark, default);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    protected override void RemoveFiles(string run, string? mark, Moment marked)
    {
        SetAside(run);
        ClearDeleted();
    }

    /// <summary>Under another name before any file goes, also after a power cut.</summary>
    private void SetAside(string run)
    {
        Directory.Move(PathOf(run), Path.Combine(Place, $"{Deleted}{Guid.NewGuid():N}"));
        FolderFlush.Flush(Place);
    }

    private void ClearDeleted()
    {
        // What an earlier deletion left when its process ended goes, too.
        foreach (var remains in Directory.EnumerateDirectories(Place, $"{Deleted}*")) Directory.Delete(remains, recursive: true);
    }

    public static InvalidDataException Shorter(string path, long length, long named) => new(
        $"{path} is damaged: it has {length} bytes, and the run's record names {named}. Bring the file back, or train anew under another name.");
}
