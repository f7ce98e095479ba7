namespace DistributedEnsemble.Grains;

/// <summary>Finds runs by their names in the store: also those that this cluster has had nothing to do with yet.</summary>
internal interface IRunDirectory
{
    /// <returns>Null if no run has the name.</returns>
    /// <exception cref="InvalidDataException">The run's record is damaged.</exception>
    Task<RunKey?> FindAsync(string name);
}
