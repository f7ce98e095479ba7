using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Cluster.Tests;

/// <summary>
/// What a run must come to, whatever happened on its way: computed by the library alone, member after member, and once for all
/// tests whose specs differ by their names.
/// </summary>
internal sealed class Undisturbed
{
    private static readonly ConcurrentDictionary<string, Lazy<Undisturbed>> s_known = new();

    private readonly List<(int Member, int Step, string Sha256)> _snapshots, _ema = [];
    private readonly Dictionary<int, string> _metrics = [];

    private Undisturbed(string spec)
    {
        var document = SpecDocument.Parse(spec);
        var source = new DatasetRegistry().Resolve(document.Dataset);
        var resolved = document.Resolve(source.Defaults);
        var plan = new TrainingPlan(resolved, source.Load(new DataFolders(), resolved, null), new NetworkRegistry());
        var averages = new List<Snapshot>();
        var snapshots = EnsembleTraining.Run(
            plan, onStep: (member, step) => _metrics[member] = _metrics.GetValueOrDefault(member, "") + step.ToLine(), ema: averages);
        _snapshots = Identify(snapshots);
        _ema = Identify(averages);
    }

    public static void IsWhatCameOutOf(LocalCluster cluster, string spec) => IsWhatCameOutOf(cluster.Folder((string)JsonNode.Parse(spec)!["name"]!), spec);

    public static void IsWhatCameOutOf(RunFolder folder, string spec)
    {
        var named = JsonNode.Parse(spec)!.AsObject();
        named.Remove("name");
        s_known.GetOrAdd(named.ToJsonString(), _ => new Lazy<Undisturbed>(() => new Undisturbed(spec))).Value.IsWhatCameOut(folder);
    }

    private void IsWhatCameOut(RunFolder folder)
    {
        var status = RunStatusFile.Read(folder)!;
        Assert.Equal(RunState.Completed, status.State);
        Assert.True(status.Exact);
        Assert.Equal(_snapshots.OrderBy(s => (s.Step, s.Member)), status.Snapshots.Select(s => (s.Member, s.Step, s.Sha256)).OrderBy(s => (s.Step, s.Member)));
        Assert.Equal(_ema.Order(), status.Ema.Select(s => (s.Member, s.Step, s.Sha256)).Order());
        Assert.All(status.Snapshots.Concat(status.Ema), file => Assert.True(folder.Exists(file.File), file.File));
        Assert.All(_metrics, lines => Assert.Equal(lines.Value, folder.ReadAllText(RunFolder.Metrics(lines.Key))));
    }

    private static List<(int, int, string)> Identify(IEnumerable<Snapshot> models)
    {
        var identities = new List<(int, int, string)>();
        foreach (var model in models)
        {
            using var weights = model.Weights;
            identities.Add((model.Member, model.Step, weights.Sha256()));
        }

        return identities;
    }
}
