namespace DistributedEnsemble.Cluster.Tests;

/// <summary>A folder of its own that goes with everything in it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("ensemble-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
