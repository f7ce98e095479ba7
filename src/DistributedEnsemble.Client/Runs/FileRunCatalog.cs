using System.Text.Json;
using DistributedEnsemble.Client.Clusters;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Grains;
using DistributedEnsemble.Training;

namespace DistributedEnsemble.Client.Runs;

/// <summary>The runs of a folder.</summary>
internal sealed class FileRunCatalog(EmbeddedOptions options) : IRunCatalog
{
    private readonly EnsembleTrainingOptions _training = new();

    public IReadOnlyList<RunStatus> List() => !Directory.Exists(options.RunsFolder)
        ? []
        : [.. Directory.EnumerateDirectories(options.RunsFolder)
            .Select(folder => Path.GetFileName(folder)!).Where(RunName.IsValid).Order(StringComparer.Ordinal)
            .Select(Find).OfType<RunStatus>()];

    public RunStatus? Find(string name)
    {
        if (!RunName.IsValid(name)) throw new UsageException($"\"{name}\" is not a run's name: {RunName.Rule}.");
        var folder = new RunFolder(options.RunsFolder, name);
        if (!File.Exists(folder.Status)) return null;
        try
        {
            var status = RunStatusJson.FromJson(File.ReadAllText(folder.Status));
            return status.State is RunState.Running or RunState.Queued && !RunLock.IsHeld(folder) ? Orphaned(status) : status;
        }
        catch (JsonException exception)
        {
            throw new IOException($"{folder.Status} is damaged: {exception.Message}", exception);
        }
    }

    public EvaluationReport Evaluate(string name, ConstituentChoice choice, CancellationToken cancellation)
    {
        var status = Find(name) ?? throw new UsageException($"There is no run \"{name}\" in {options.RunsFolder}.");
        return RunEvaluation.Evaluate(
            new RunFolder(options.RunsFolder, name), status, choice,
            dataset => _training.Datasets.Resolve(dataset).Load(new DataFolders(options.DataFolder)), _training.Networks, cancellation);
    }

    /// <summary>A run whose process ended is paused: nobody trains it, and its record knows how to go on.</summary>
    private static RunStatus Orphaned(RunStatus status) => status with
    {
        State = RunState.Paused,
        Reason = "its process ended",
        Members = [.. status.Members.Select(member => member.State == MemberState.Training
            ? member with { State = MemberState.Waiting, Silo = null, Lane = null, StepsPerSecond = 0 }
            : member)],
    };
}
