using System.Text;
using DistributedEnsemble.Grains.Stores.Objects;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Training.Files;
using StackExchange.Redis;

namespace DistributedEnsemble.Grains.Stores.Redis;

/// <summary>
/// The folder that the silos of a cluster share has an id, which Redis knows. A silo with another folder, as where the right
/// one is not mounted, would find no checkpoint and have its members' work thrown away.
/// </summary>
internal static class SharedFolder
{
    /// <summary>A name that no run can have.</summary>
    private const string IdFile = ".shared-folder", IdObject = ".shared-store";

    private const long MostIdBytes = 200;

    private static readonly RedisKey s_key = "ensemble/folder", s_choice = "ensemble/folder/choice";

    /// <summary>How long a silo has for a choice: one that ended meanwhile holds nobody up for longer.</summary>
    private static readonly TimeSpan s_choosing = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Makes sure that the silos of a cluster have one store, which its first silo chose. Other servers may have a bucket of that name:
    /// the store has an id, too.
    /// </summary>
    /// <exception cref="IOException">It is another one; the message is one line for people.</exception>
    /// <exception cref="RedisUnreachableException">Redis does not do what it is asked.</exception>
    public static async Task CheckAsync(IConnectionMultiplexer redis, ObjectStorage store)
    {
        var shared = await KnownAsync(redis.GetDatabase(), () => $"{store.Place} {IdIn(store) ?? MakeIn(store)}");
        var here = await Task.Run(() => IdIn(store));
        if (here is not null && shared == $"{store.Place} {here}") return;
        if (!shared.StartsWith(ObjectStoreAddress.Scheme, StringComparison.Ordinal))
            throw new IOException($"--store {store.Place} is given, and the silos of this cluster keep their runs in a folder that they share: start this one with that folder as --runs, and without --store.");
        var (place, id) = PlaceAndId(shared);
        if (place != store.Place)
            throw new IOException($"--store {store.Place} is not where the silos of this cluster keep their runs: they have {place}. Start this one with that.");
        throw new IOException(
            $"--store {store.Place} at {store.Server} is not the store that the silos of this cluster share: its {IdObject} {(here is null ? "is missing" : $"says {OneLine.Excerpt(here)}")}, and theirs says {id}. "
            + $"Give this silo the endpoint of theirs. If the runs were moved into this one, write {id} into its {IdObject}.");
    }

    /// <summary>Makes sure that the folder is the one that the cluster's silos share; the first silo makes it that.</summary>
    /// <exception cref="IOException">It is another one, or cannot be written; the message is one line for people.</exception>
    /// <exception cref="RedisUnreachableException">Redis does not do what it is asked.</exception>
    public static async Task CheckAsync(IConnectionMultiplexer redis, string runsFolder)
    {
        var path = Path.Combine(Path.GetFullPath(runsFolder), IdFile);
        var shared = await KnownAsync(redis.GetDatabase(), () => Read(path) ?? Make(path));
        var here = Read(path);
        if (here == shared) return;
        if (shared.StartsWith(ObjectStoreAddress.Scheme, StringComparison.Ordinal))
            throw new IOException($"The silos of this cluster keep their runs in {PlaceAndId(shared).Place}: start this one with --store {PlaceAndId(shared).Place}.");
        throw new IOException(
            $"--runs {runsFolder} is not the folder that the silos of this cluster share: its {IdFile} {(here is null ? "is missing" : $"says {OneLine.Excerpt(here)}")}, and theirs says {shared}. "
            + $"Mount theirs here. If the runs were moved into this one, write {shared} into its {IdFile}.");
    }

    /// <summary>
    /// What Redis knows. Where it knows nothing yet, one silo at a time chooses: of those that did so at once, a store that ignores
    /// conditions of writes would keep the id of the last, and Redis that of the first.
    /// </summary>
    private static async Task<string> KnownAsync(IDatabase database, Func<string> choose)
    {
        for (RedisValue own = $"{Guid.NewGuid():N}"; ; await Task.Delay(100))
        {
            if (await FindAsync() is { } known) return known;
            if (!await RedisClusterId.AskAsync(() => database.LockTakeAsync(s_choice, own, s_choosing))) continue;
            try
            {
                if (await FindAsync() is null && await Task.Run(choose) is var chosen)
                    await RedisClusterId.AskAsync(() => database.StringSetAsync(s_key, chosen, when: When.NotExists));
            }
            finally
            {
                await RedisClusterId.AskAsync(() => database.LockReleaseAsync(s_choice, own));
            }
        }

        async Task<string?> FindAsync() => await RedisClusterId.AskAsync(() => database.StringGetAsync(s_key));
    }

    /// <summary>What Redis knows of a store.</summary>
    private static (string Place, string Id) PlaceAndId(string shared) => shared.Split(' ', 2) is [var place, var id] ? (place, id) : (shared, "nothing");

    /// <returns>Null if the store has none.</returns>
    private static string? IdIn(ObjectStorage store) => store.ReadTagged(IdObject)?.Text;

    /// <returns>What another silo wrote, if one was faster.</returns>
    private static string? MakeIn(ObjectStorage store)
    {
        store.TryReplace(IdObject, Encoding.UTF8.GetBytes($"{Guid.NewGuid():N}\n"), tag: null);
        return IdIn(store);
    }

    /// <returns>Null if the folder has none.</returns>
    /// <exception cref="IOException">Something else stands in its place.</exception>
    internal static string? Read(string path)
    {
        try
        {
            return RegularFile.ReadAllText(Path.GetDirectoryName(path)!, path, MostIdBytes).Trim();
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (InvalidDataException exception)
        {
            throw new IOException(exception.Message, exception);
        }
    }

    /// <returns>What another silo wrote, if one was faster.</returns>
    private static string Make(string path)
    {
        var aside = $"{path}{Guid.NewGuid():N}";
        try
        {
            NewFolder.Create(Path.GetDirectoryName(path)!);
            File.WriteAllText(aside, $"{Guid.NewGuid():N}\n");
            File.Move(aside, path, overwrite: false);
            FolderFlush.Flush(Path.GetDirectoryName(path)!);
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(aside);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new IOException($"The folder of the runs cannot be written: {exception.Message}", exception);
        }

        return Read(path)!;
    }
}
