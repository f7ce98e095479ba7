using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Tests.Stores;

public sealed class DamageTests : IDisposable
{
    private static readonly string Spec = Specs.Held.Replace("\"members\": 6", "\"members\": 2");

    private readonly RunsFolder _runs = new();

    public void Dispose() => _runs.Dispose();

    [Fact]
    public async Task Damaged_checkpoints_are_passed_over_and_change_nothing()
    {
        var run = await PausedAsync();
        var checkpoints = Directory.EnumerateFiles(_runs.Folder("small").Root, "*.safetensors", SearchOption.AllDirectories)
            .Where(path => path.Contains("checkpoints")).Order().ToList();
        Assert.NotEmpty(checkpoints);
        Flip(checkpoints[0]);
        foreach (var path in checkpoints.Skip(1)) File.WriteAllBytes(path, File.ReadAllBytes(path)[..^100]);

        await using var next = await EnsembleCluster.StartAsync(runsFolder: _runs.Path);
        await next.ResumeAsync(run);
        var status = await next.WhenAsync(run, s => s.HasEnded);

        Assert.Equal(Specs.Reference(Spec), Specs.Of(status));
        Assert.Equal(Specs.ReferenceLines(Spec, 0), File.ReadAllText(_runs.Folder("small").Path(RunFolder.Metrics(0))));
    }

    [Fact]
    public async Task Metrics_that_are_shorter_than_the_record_says_pause_the_run_with_their_name()
    {
        var run = await PausedAsync();
        var path = Enumerable.Range(0, 2).Select(member => _runs.Folder("small").Path(RunFolder.Metrics(member))).First(File.Exists);
        var bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, bytes[..20]);

        await using var next = await EnsembleCluster.StartAsync(runsFolder: _runs.Path);
        await next.ResumeAsync(run);
        var status = await next.WhenAsync(run, s => s.State == RunState.Paused);

        Assert.Equal(
            $"{path} is damaged: it has 20 bytes, and the run's record names {bytes.Length}. Bring the file back, or train anew under another name.",
            status.Reason);
        File.WriteAllBytes(path, bytes);
        await next.ResumeAsync(run);
        Assert.Equal(Specs.Reference(Spec), Specs.Of(await next.WhenAsync(run, s => s.HasEnded)));
    }

    [Fact]
    public async Task A_damaged_spec_or_data_description_is_written_again_from_the_record()
    {
        var run = await PausedAsync();
        var (spec, data) = (File.ReadAllText(_runs.Folder("small").Spec), File.ReadAllText(_runs.Folder("small").Data));
        File.WriteAllText(_runs.Folder("small").Spec, spec[..50]);
        File.Delete(_runs.Folder("small").Data);

        await using var next = await EnsembleCluster.StartAsync(runsFolder: _runs.Path);
        await next.ResumeAsync(run);
        await next.WhenAsync(run, s => s.HasEnded);

        Assert.Equal((spec, data), (File.ReadAllText(_runs.Folder("small").Spec), File.ReadAllText(_runs.Folder("small").Data)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("\u0001garbage")]
    [InlineData("{\"version\": 1, \"run\": \"other@00000000000000000000000000000000\", \"record\": {}}")]
    [InlineData("{\"version\": 1, \"run\": \"small@zzz\", \"record\": {}}")]
    public async Task A_damaged_record_is_named(string contents)
    {
        Directory.CreateDirectory(_runs.Folder("small").Root);
        File.WriteAllText(_runs.Folder("small").Record, contents);
        await using var cluster = await EnsembleCluster.StartAsync(runsFolder: _runs.Path);

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => cluster.Scheduler.FindAsync("small", TestContext.Current.CancellationToken));

        Assert.StartsWith($"{_runs.Folder("small").Record} is damaged: ", error.Message);
        Assert.DoesNotContain('\n', error.Message);
        // As it was thrown: an activation that fails is told otherwise, and kept for seconds, also by a silo that stops.
        var told = await Assert.ThrowsAsync<InvalidDataException>(() => cluster.Coordinator(new RunKey("small", Guid.NewGuid())).GetStatusAsync());
        Assert.Equal(error.Message, told.Message);
    }

    /// <summary>A run that was stopped on its way, with metric lines of at least one member.</summary>
    private async Task<RunKey> PausedAsync()
    {
        await using var cluster = await EnsembleCluster.StartAsync(runsFolder: _runs.Path);
        using var held = new HeldSnapshots(_runs.Folder("small"));
        var run = await cluster.SubmitAsync(Spec);
        await cluster.WhenAsync(run, s => s.Members[0].Step > 20);
        await cluster.Coordinator(run).StopAsync();
        held.Release();
        await cluster.WhenAsync(run, s => s.State == RunState.Paused);
        return run;
    }

    private static void Flip(string path)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[^5] ^= 4;
        File.WriteAllBytes(path, bytes);
    }
}
