using System.Globalization;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Members;

namespace DistributedEnsemble.Reports.TensorBoard;

/// <summary>
/// A run as TensorBoard shows it, in the run's folder tensorboard/: a run of its own for each member, with what it was given; "ensemble"
/// and, where there are some, "ema", with what the test split says of them. It can be read while it grows.
/// </summary>
/// <remarks>Metric lines have no times: those of events are spread over the run's seconds of training by their steps.</remarks>
internal sealed class TensorBoardLogs : IDisposable
{
    /// <summary>Of a run's folder.</summary>
    public const string Folder = "tensorboard";

    private readonly RunFolder _output;
    private readonly EnsembleSpec _spec;
    private readonly HyperParameters _hyperParameters;
    private readonly DateTimeOffset _begun;
    private readonly MetricTail _tail;
    private readonly Dictionary<int, EventFile> _members = [];

    /// <param name="begun">When training began, as far as that is known.</param>
    /// <param name="output">Of this machine, has the folder that they are written into; what is there goes. Null is the run's own.</param>
    public TensorBoardLogs(RunFolder folder, EnsembleSpec spec, DateTimeOffset begun, RunFolder? output = null)
    {
        (_output, _spec, _hyperParameters, _begun, _tail) = (output ?? folder, spec, new HyperParameters(spec), begun, new MetricTail(folder));
        if (Directory.Exists(Root)) Directory.Delete(Root, recursive: true);
    }

    public string Root => _output.Path(Folder);

    /// <summary>Writes the metric lines that have come since the last time.</summary>
    public void Follow(RunStatus status)
    {
        var width = Math.Max(2, (status.Members.Length - 1).ToString(CultureInfo.InvariantCulture).Length);
        foreach (var member in status.Members)
        {
            var lines = _tail.ReadOn(member.Index);
            if (lines.Count == 0) continue;
            if (!_members.TryGetValue(member.Index, out var file))
            {
                _members[member.Index] = file = Open($"member-{member.Index.ToString($"D{width}", CultureInfo.InvariantCulture)}");
                _hyperParameters.Write(file, _spec.OfMember(member.Index), $"{status.Run}, member {member.Index}", _begun);
            }

            foreach (var line in lines) Write(file, line, TimeOf(status, member, line.Step));
            file.Flush();
        }
    }

    /// <summary>What the test split says of an average.</summary>
    /// <param name="name">"ensemble" or "ema".</param>
    public void Add(string name, RunStatus status, EvaluationReport report)
    {
        var time = _begun.AddSeconds(status.TrainSeconds);
        using var file = Open(name);
        _hyperParameters.Write(file, _spec, $"{status.Run}, {name}", _begun);
        var step = report.Weights.Max(weights => weights.Step);
        foreach (var (measure, value) in report.Ensemble.All) if (value is { } number) file.Scalar($"test/{measure}", number, step, time);
        foreach (var (i, measures) in report.Models.Index())
            foreach (var (measure, value) in measures.All) if (value is { } number) file.Scalar($"test of single models/{measure}", number, i, time);
    }

    public void Dispose()
    {
        foreach (var file in _members.Values) file.Dispose();
    }

    private DateTimeOffset TimeOf(RunStatus status, MemberStatus member, int step) =>
        _begun.AddSeconds(status.TrainSeconds * Math.Min(1, step / (double)Math.Max(1, member.Step)));

    private EventFile Open(string name) => new(Path.GetDirectoryName(_output.WritablePath($"{Folder}/{name}/events"))!, _begun);

    private static void Write(EventFile file, StepMetrics line, DateTimeOffset time)
    {
        file.Scalar("loss", line.Loss, line.Step, time);
        file.Scalar("learning rate", line.LearningRate, line.Step, time);
        file.Scalar("l2", line.L2, line.Step, time);
        file.Scalar(line.Quality.Measure, line.Quality.Value, line.Step, time);
        if (line.Validation is { } validation) file.Scalar("validation/nll", validation.Nll, line.Step, time);
    }
}
