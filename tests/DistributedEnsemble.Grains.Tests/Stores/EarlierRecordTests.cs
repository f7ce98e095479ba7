using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Tests.Stores;

/// <summary>A run that was trained when a record was one file, and paused.</summary>
public sealed class EarlierRecordTests : IDisposable
{
    private readonly RunsFolder _runs = new();

    public EarlierRecordTests()
    {
        var earlier = Repository.File("tests", "DistributedEnsemble.Grains.Tests", "Stores", "Earlier");
        foreach (var path in Directory.EnumerateFiles(earlier, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(_runs.Path, Path.GetRelativePath(earlier, path));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(path, copy);
        }
    }

    public void Dispose() => _runs.Dispose();

    [Fact]
    public async Task It_goes_on_where_it_was_and_ends_as_if_nothing_had_happened()
    {
        await using var cluster = await EnsembleCluster.StartAsync(runsFolder: _runs.Path);
        var run = await cluster.Scheduler.FindAsync("earlier", TestContext.Current.CancellationToken);
        var before = await cluster.Coordinator(run!.Value).GetStatusAsync();
        Assert.Equal((RunState.Paused, 4250, 4), (before.State, (int)before.Steps, before.Snapshots.Length));

        await cluster.ResumeAsync(run.Value);
        var status = await cluster.WhenAsync(run.Value, s => s.HasEnded);

        // What was a key then, and is none now, is read of recorded specs only.
        var spec = EnsembleSpec.FromJson(File.ReadAllText(_runs.Folder("earlier").Spec)).ToJson();
        Assert.Equal(Specs.Reference(spec), Specs.Of(status));
        Assert.Equal(Specs.ReferenceEma(spec), status.Ema.Select(model => (model.Member, model.Step, model.Sha256)));
        Assert.Equal(Specs.ReferenceLines(spec, 1), File.ReadAllText(_runs.Folder("earlier").Path(RunFolder.Metrics(1))));
        Assert.Equal(before.Snapshots, status.Snapshots.Take(4));
        Assert.Contains("\"format\":2", File.ReadAllText(_runs.Folder("earlier").Record));
    }
}
