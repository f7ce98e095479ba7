using System.Diagnostics;
using DistributedEnsemble.Serving.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Serving.Tests;

public sealed class RunIndexTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ensemble-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_file_that_hangs_leaves_every_other_run_to_be_read()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no named pipes in folders.");
        Directory.CreateDirectory(Path.Combine(_folder, "a-pipe"));
        using (var pipe = Process.Start("mkfifo", [Path.Combine(_folder, "a-pipe", "run.json")])) await pipe.WaitForExitAsync(Cancellation);
        Write("b", 1);
        await using var index = await RunIndex.StartAsync(new FolderStorage(_folder), TimeProvider.System, Cancellation);

        await ServedRuns.WaitAsync(() => Task.FromResult(index.Find("b") is not null));
        Write("c", 1);
        await ServedRuns.WaitAsync(() => Task.FromResult(index.Find("c") is not null));

        Assert.Equal(["b", "c"], index.List().Select(run => run.Run));
    }

    [Fact]
    public async Task Runs_come_change_and_go_as_their_folders_do()
    {
        Write("b", 1);
        Directory.CreateDirectory(Path.Combine(_folder, "no-run"));
        Directory.CreateDirectory(Path.Combine(_folder, ".hidden"));
        await using var index = await RunIndex.StartAsync(new FolderStorage(_folder), TimeProvider.System, Cancellation);
        Assert.Equal(["b"], index.List().Select(run => run.Run));

        Write("b", 2);
        Write("a", 1);
        await ServedRuns.WaitAsync(() => Task.FromResult(index.Find("b")?.Steps == 2 && index.Find("a") is not null));

        Directory.Delete(Path.Combine(_folder, "b"), recursive: true);
        await ServedRuns.WaitAsync(() => Task.FromResult(index.Find("b") is null));
        Assert.Equal(["a"], index.List().Select(run => run.Run));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void Write(string name, int steps)
    {
        var file = Path.Combine(Directory.CreateDirectory(Path.Combine(_folder, name)).FullName, "run.json");
        File.WriteAllText($"{file}.new", $$"""
            {"run":"{{name}}","id":"{{Guid.NewGuid()}}","state":"running","steps":{{steps}},"stepsTotal":10,
             "members":[{"index":0,"state":"training","step":{{steps}}}],"snapshots":[],"ema":[]}
            """);
        File.SetLastWriteTimeUtc($"{file}.new", DateTime.UnixEpoch.AddDays(steps));
        File.Move($"{file}.new", file, overwrite: true);
    }
}
