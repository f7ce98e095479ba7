using System.Text;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Coordination;

/// <summary>
/// The metrics.jsonl of a run's members; its coordinator is their only writer. Only lines that the record has are written.
/// </summary>
internal sealed class MetricFiles(RunFolder folder)
{
    /// <summary>Writes lines that end at <paramref name="end"/>. Nothing behind them is touched: a later writer may have been there.</summary>
    /// <exception cref="InvalidDataException">The file is shorter than what comes before them.</exception>
    public Task WriteAsync(int member, long end, string lines) => Task.Run(() =>
    {
        var path = folder.Path(RunFolder.Metrics(member));
        using var file = folder.OpenToAppend(RunFolder.Metrics(member));
        var bytes = Encoding.UTF8.GetBytes(lines);
        if (file.Length < end - bytes.Length)
        {
            throw new InvalidDataException($"{path} is damaged: it has {file.Length} bytes, and the run's record names {end - bytes.Length}. "
                + "Bring the file back, or train anew under another name.");
        }

        FileOperations.Before("append", path);
        file.Position = end - bytes.Length;
        file.Write(bytes);
        FileOperations.Before("flush", path);
        file.Flush(flushToDisk: true);
    });
}
