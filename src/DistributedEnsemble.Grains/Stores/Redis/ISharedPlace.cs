namespace DistributedEnsemble.Grains.Stores.Redis;

/// <summary>
/// What the silos of a cluster keep their runs in. It has an id of its own, since one path or address may mean another folder or store on
/// another machine.
/// </summary>
internal interface ISharedPlace
{
    /// <returns>What Redis is told of it, with its id; null if it has none yet.</returns>
    /// <exception cref="IOException">Something else stands in the id's place.</exception>
    string? Find();

    /// <returns>The same, with the id that it was given now, or by another silo that was faster.</returns>
    /// <exception cref="IOException">It cannot be written.</exception>
    string Make();

    /// <summary>That it is not the one that the cluster has, as one line for people.</summary>
    /// <param name="shared">What Redis was told.</param>
    IOException Refused(string shared);
}
