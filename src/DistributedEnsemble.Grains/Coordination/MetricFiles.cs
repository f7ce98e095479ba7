using System.Text;
using DistributedEnsemble.Training;

namespace DistributedEnsemble.Grains;

/// <summary>
/// The metrics.jsonl of a run's members; its coordinator is their only writer. What lies behind the committed length was
/// never named, and is overwritten.
/// </summary>
internal sealed class MetricFiles(RunFolder folder) : IDisposable
{
    private readonly OneAtATime _turns = new();

    /// <summary>Keeps appends of different attempts apart.</summary>
    public Task<IDisposable> EnterAsync() => _turns.EnterAsync();

    /// <returns>The length with the lines.</returns>
    public Task<long> AppendAsync(int member, long length, string lines) => Task.Run(() =>
    {
        var path = folder.Path(RunFolder.Metrics(member));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);
        file.SetLength(length);
        file.Position = length;
        file.Write(Encoding.UTF8.GetBytes(lines));
        file.Flush(flushToDisk: true);
        return file.Length;
    });

    public void Dispose() => _turns.Dispose();
}
