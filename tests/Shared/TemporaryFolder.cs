namespace DistributedEnsemble.Tests;

/// <summary>A folder of one test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public TemporaryFolder() : this(Directory.CreateTempSubdirectory("ensemble-").FullName)
    {
    }

    private TemporaryFolder(string path) => Path = path;

    public string Path { get; }

    /// <summary>Beside the tests' program: where temporary folders are may be memory.</summary>
    public static TemporaryFolder OnDisk() =>
        new(Directory.CreateDirectory(System.IO.Path.Combine(AppContext.BaseDirectory, $"ensemble-{Guid.NewGuid():N}")).FullName);

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
