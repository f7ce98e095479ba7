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
    public void Write(int member, long end, string lines)
    {
        var bytes = Encoding.UTF8.GetBytes(lines);
        folder.Append(RunFolder.Metrics(member), end - bytes.Length, bytes);
    }
}
