using System.Text;
using DistributedEnsemble.Files;

namespace DistributedEnsemble.Training.Files;

/// <summary>
/// Where the files of runs are: a folder, or a store of objects. A file is whole or absent, whatever crashes, and durable when the
/// call that wrote it returns. Names are relative and have forward slashes.
/// </summary>
internal abstract class RunStorage
{
    /// <summary>What a file of JSON may have: a record names each file of a run, and data.json each column.</summary>
    public const long MostJsonBytes = RegularFile.MostJsonBytes;

    /// <summary>For how long a process that says nothing may still be at work: it tells more often that it is.</summary>
    protected static readonly TimeSpan Forgotten = TimeSpan.FromMinutes(10);

    /// <summary>What people call it.</summary>
    public abstract string Place { get; }

    /// <summary>The clock of this machine.</summary>
    protected virtual TimeProvider Time => TimeProvider.System;

    /// <summary>What time it is by the clock that says when files were written.</summary>
    public abstract DateTimeOffset Now { get; }

    /// <summary>Whether other machines may show a file a little later than its writer.</summary>
    public abstract bool LagsBehind { get; }

    /// <summary>Whether bytes can be added to a file, at the cost of those bytes.</summary>
    public abstract bool Grows { get; }

    /// <summary>
    /// Why it cannot be used, as one line, where it has not done what it is asked for a while; null if it can. Nobody waits for an
    /// answer: it is looked at now and then while somebody wants to know.
    /// </summary>
    public abstract string? Refusal { get; }

    /// <summary>What people call a file.</summary>
    public abstract string PathOf(string name);

    /// <summary>Opens a file, which can be sought in; nothing that is written later changes it, but what is added at its end.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">Something else stands in its place.</exception>
    /// <exception cref="StorageAwayException">The storage does not answer now.</exception>
    public abstract Stream OpenRead(string name);

    /// <summary>
    /// Opens a file that grows, for a reader that has its first bytes, or wants some of it only: those that are read are fetched, and
    /// no others.
    /// </summary>
    /// <returns>All of the file, to be read on from that place, or from its end if it is shorter by now.</returns>
    /// <inheritdoc cref="OpenRead(string)"/>
    public abstract Stream OpenRead(string name, long from);

    /// <summary>Opens a file of which no byte is wanted if it has more than so many.</summary>
    /// <inheritdoc cref="OpenRead(string)"/>
    protected virtual Stream OpenLimited(string name, long most) => OpenRead(name);

    /// <summary>Writes or replaces a file. On an error the old one stays.</summary>
    /// <param name="write">Is given a stream that can be sought in.</param>
    /// <returns>What <paramref name="write"/> returns.</returns>
    /// <exception cref="IOException">It cannot be stored.</exception>
    public abstract T Write<T>(string name, Func<Stream, T> write);

    /// <summary>Puts bytes at a place of a file that has at least so many; what is behind them stays.</summary>
    /// <exception cref="InvalidDataException">The file is shorter.</exception>
    public abstract void Append(string name, long place, ReadOnlySpan<byte> bytes);

    /// <returns>Null if there is no such file; differs when it was replaced.</returns>
    public abstract StoredFile? Find(string name);

    public bool Exists(string name) => Find(name) is not null;

    /// <summary>The names that files of runs, and others, have up to the first slash.</summary>
    public abstract IReadOnlyList<string> Folders();

    /// <summary>Removes a file if there is one.</summary>
    public abstract void Delete(string name);

    /// <summary>The files whose names begin so, but for those that are reached through links.</summary>
    /// <param name="prefix">A folder's name with a slash at its end.</param>
    public abstract IEnumerable<StoredFile> List(string prefix);

    /// <summary>Whether a run's name leads elsewhere: nothing is written there.</summary>
    public abstract bool IsLink(string run);

    /// <summary>Whether anything has the name, a run or not.</summary>
    public abstract bool Has(string run);

    /// <summary>Whether a process trains a run.</summary>
    public abstract bool IsInTraining(RunFolder run);

    /// <summary>Removes a run with all its files. Whatever crashes, the run is there whole, or is gone.</summary>
    /// <returns>False if a process trains it.</returns>
    public abstract Task<bool> TryRemoveAsync(RunFolder run);

    /// <summary>
    /// Removes all files that have a run's name. From before the name is given free until nothing of this is under way any more,
    /// <see cref="IsBeingRemoved"/> says so: whoever took the name, and asks only then, keeps all files that it writes.
    /// </summary>
    /// <param name="giveFreeAsync">Gives the name free, before any file goes; false leaves the files as they are.</param>
    public async Task<bool> RemoveAsync(string run, Func<Task<bool>> giveFreeAsync)
    {
        if (!Has(run)) return await giveFreeAsync();
        var (mark, marked) = ($"{run}/{RunFolder.Removals}/{Guid.NewGuid():N}", Moment.Of(Time));
        var (isMarked, isFree) = (TryMark(run, mark), false);
        try
        {
            isFree = await giveFreeAsync();
        }
        finally
        {
            if (isMarked && !isFree) Delete(mark);
        }

        if (isFree) RemoveFiles(run, isMarked ? mark : null, marked);
        return isFree;
    }

    /// <summary>Whether files of a run are being removed that had this name.</summary>
    public bool IsBeingRemoved(string run) => List($"{run}/{RunFolder.Removals}/").Any(mark => mark.Written > Now - Forgotten);

    /// <summary>Makes a place for a run that has taken its name: what a deletion left there is nobody's.</summary>
    public abstract void Prepare(string run);

    /// <summary>Says that a run is being removed. Where there is no room, runs can be removed all the same.</summary>
    /// <returns>Whether it is said.</returns>
    protected abstract bool TryMark(string run, string mark);

    /// <summary>Makes the run none, and then removes what is left of it, the mark last.</summary>
    /// <param name="mark">Null if there is none.</param>
    /// <param name="marked">A moment before it was made.</param>
    protected abstract void RemoveFiles(string run, string? mark, Moment marked);

    /// <inheritdoc cref="Write{T}"/>
    public void Write(string name, ReadOnlyMemory<byte> bytes) => Write<object?>(name, stream =>
    {
        stream.Write(bytes.Span);
        return null;
    });

    /// <inheritdoc cref="OpenRead(string)"/>
    /// <param name="most">The bytes that it may have.</param>
    public byte[] ReadAllBytes(string name, long most = MostJsonBytes)
    {
        using var file = OpenLimited(name, most);
        if (file.Length > most) throw TooLong(PathOf(name), file.Length, most);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    public static InvalidDataException TooLong(string path, long bytes, long most) =>
        new($"{path} is damaged: it has {bytes:N0} bytes, and such a file has at most {most:N0}.");

    /// <inheritdoc cref="ReadAllBytes"/>
    public string ReadAllText(string name, long most = MostJsonBytes)
    {
        using var text = new StreamReader(new MemoryStream(ReadAllBytes(name, most)), Encoding.UTF8);
        return text.ReadToEnd();
    }
}

/// <summary>A file of a storage.</summary>
/// <param name="Tag">Of what it holds, where there is one.</param>
internal readonly record struct StoredFile(string Name, long Bytes, DateTimeOffset Written, string? Tag = null);
