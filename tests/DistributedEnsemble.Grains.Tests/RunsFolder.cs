using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Tests;

/// <summary>A folder of runs that outlives the clusters of its test.</summary>
internal sealed class RunsFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("ensemble-").FullName;

    public RunFolder Folder(string name) => new(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
