using System.Text;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Members;

namespace DistributedEnsemble.Reports;

/// <summary>Reads the metric lines of a run's members as they grow.</summary>
internal sealed class MetricTail(RunFolder folder)
{
    private readonly Dictionary<int, long> _read = [];

    /// <returns>Those that have come since the last time.</returns>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public IReadOnlyList<StepMetrics> ReadOn(int member)
    {
        try
        {
            using var file = folder.OpenRead(RunFolder.Metrics(member), _read.GetValueOrDefault(member));
            var start = file.Position;
            var bytes = new byte[file.Length - start];
            file.ReadExactly(bytes);
            var whole = bytes.AsSpan().LastIndexOf((byte)'\n') + 1;
            _read[member] = start + whole;
            return [.. StepMetrics.AllOf(Encoding.UTF8.GetString(bytes, 0, whole), folder.Path(RunFolder.Metrics(member)))];
        }
        catch (FileNotFoundException)
        {
            return [];
        }
    }
}
