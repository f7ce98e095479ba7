namespace DistributedEnsemble.Training.Files;

/// <summary>The memory that this process may take: the machine's, or what its container or control group is given.</summary>
internal static class ProcessMemory
{
    /// <summary>A part of it, as the default of a limit.</summary>
    /// <param name="most">Bytes, where there is plenty.</param>
    /// <param name="parts">The limit is one of so many.</param>
    public static long Share(long most, int parts) => ShareOf(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, most, parts);

    /// <param name="available">Bytes; 0 where nobody knows.</param>
    /// <inheritdoc cref="Share"/>
    internal static long ShareOf(long available, long most, int parts)
    {
        const long Least = 1 << 20;
        return available <= 0 ? most : Math.Clamp(available / parts, Least, most);
    }
}
