using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Grains.Tests.Coordination;

public sealed class UnnamedFilesTests : IDisposable
{
    private static readonly string[] s_unnamed =
    [
        "members/01/checkpoints/step-00000007-attempt-0009.safetensors", "members/00/hand-overs/step-00000003.safetensors",
        "members/00/snapshots/step-00000002.safetensors", "ema/00-step-00000001.safetensors", "run.json.tmp-0123", "members/00/snapshots/a.tmp-b",
    ];

    private readonly RunsFolder _runs = new();

    public void Dispose() => _runs.Dispose();

    [Fact]
    public async Task Old_files_that_the_record_does_not_name_go_when_the_run_ends_and_nothing_else()
    {
        await using var cluster = await EnsembleCluster.StartAsync(runsFolder: _runs.Path);
        var run = await cluster.SubmitAsync(Specs.Small);
        await cluster.WhenAsync(run, s => s.Steps > 0);
        Plant("members/00/checkpoints/young.safetensors", TimeSpan.FromMinutes(50));
        Plant("members/00/notes.txt", TimeSpan.FromDays(3));
        Plant("report/mine.safetensors", TimeSpan.FromDays(3));
        foreach (var file in s_unnamed) Plant(file, TimeSpan.FromMinutes(70));

        var status = await cluster.WhenAsync(run, s => s.HasEnded);

        Assert.All(s_unnamed, file => Assert.False(File.Exists(PathOf(file)), file));
        Assert.All(
            status.Snapshots.Select(s => s.File).Concat(["members/00/checkpoints/young.safetensors", "members/00/notes.txt", "report/mine.safetensors", "run.json"]),
            file => Assert.True(File.Exists(PathOf(file)), file));
    }

    [Fact]
    public async Task A_run_that_goes_on_after_days_keeps_what_its_record_names()
    {
        var spec = Specs.Small.Replace("\"epochs\": 3", "\"epochs\": 60")
            .Replace("\"members\": 6", "\"members\": 2, \"averaging\": { \"decay\": 0.9, \"everySteps\": 9 }");
        RunKey run;
        await using (var cluster = await EnsembleCluster.StartAsync(runsFolder: _runs.Path))
        {
            run = await cluster.SubmitAsync(spec);
            await cluster.WhenAsync(run, s => s.Ema.Length == 2);
            await cluster.Coordinator(run).StopAsync();
            await cluster.WhenAsync(run, s => s.State == RunState.Paused);
        }

        foreach (var file in s_unnamed) Plant(file, TimeSpan.FromHours(2));
        foreach (var path in Directory.EnumerateFiles(_runs.Folder("small").Root, "*", SearchOption.AllDirectories)) Age(path, TimeSpan.FromDays(9));
        await using var next = await EnsembleCluster.StartAsync(runsFolder: _runs.Path);
        await next.ResumeAsync(run);
        Assert.All(s_unnamed, file => Assert.False(File.Exists(PathOf(file)), file));
        var status = await next.WhenAsync(run, s => s.HasEnded);

        Assert.Equal(Specs.Reference(spec), Specs.Of(status));
        Assert.Equal(Specs.ReferenceEma(spec), status.Ema.Select(e => (e.Member, e.Step, e.Sha256)));
    }

    private void Plant(string file, TimeSpan age)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(file))!);
        File.WriteAllText(PathOf(file), "not named");
        Age(PathOf(file), age);
    }

    private static void Age(string path, TimeSpan age) => File.SetLastWriteTimeUtc(path, DateTime.UtcNow - age);

    private string PathOf(string file) => Path.Combine(_runs.Folder("small").Root, file);
}
