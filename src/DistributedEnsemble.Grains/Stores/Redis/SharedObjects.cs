using System.Text;
using DistributedEnsemble.Grains.Stores.Objects;
using DistributedEnsemble.Messages;

namespace DistributedEnsemble.Grains.Stores.Redis;

/// <summary>A store of objects that the silos share: Redis is told its place and its id, with a blank between.</summary>
internal sealed class SharedObjects(ObjectStorage store) : ISharedPlace
{
    /// <summary>A name that no run can have.</summary>
    private const string IdObject = ".shared-store";

    public string? Find() => Id is { } id ? $"{store.Place} {id}" : null;

    public string Make()
    {
        store.TryReplace(IdObject, Encoding.UTF8.GetBytes($"{Guid.NewGuid():N}\n"), tag: null);
        return $"{store.Place} {Id}";
    }

    public IOException Refused(string shared)
    {
        if (PlaceIn(shared) is not { } place)
            return new IOException($"--store {store.Place} is given, and the silos of this cluster keep their runs in a folder that they share: start this one with that folder as --runs, and without --store.");
        if (place != store.Place)
            return new IOException($"--store {store.Place} is not where the silos of this cluster keep their runs: they have {place}. Start this one with that.");
        var id = shared.Length > place.Length ? shared[(place.Length + 1)..] : "nothing";
        return new IOException(
            $"--store {store.Place} at {store.Server} is not the store that the silos of this cluster share: its {IdObject} {(Id is { } here ? $"says {OneLine.Excerpt(here)}" : "is missing")}, and theirs says {id}. "
            + $"Give this silo the endpoint of theirs. If the runs were moved into this one, write {id} into its {IdObject}.");
    }

    /// <summary>The place of the store that Redis was told of; null if it was told of a folder.</summary>
    public static string? PlaceIn(string shared) => shared.StartsWith(ObjectStoreAddress.Scheme, StringComparison.Ordinal) ? shared.Split(' ')[0] : null;

    private string? Id => store.ReadTagged(IdObject)?.Text;
}
