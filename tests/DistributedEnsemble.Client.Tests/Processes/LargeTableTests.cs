using DistributedEnsemble.Runs;
using DistributedEnsemble.Tests;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Client.Tests.Processes;

/// <summary>Runs whose inputs lie in a file beside them, as those of large tables do.</summary>
public sealed class LargeTableTests : IDisposable
{
    private static readonly KeyValuePair<string, string>[] s_inFile = [new("ENSEMBLE__LIMITS__MAXINPUTSINMEMORY", "1")];

    private readonly TemporaryFolder _folder = TemporaryFolder.OnDisk();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_run_that_is_killed_leaves_no_file_and_ends_as_one_in_memory_and_so_does_its_student()
    {
        var spec = _folder.File("run.spec");
        File.WriteAllText(spec, $$"""
            {
              "seed": 3, "members": 2,
              "data": { "dataset": "{{Table()}}", "target": "y", "folds": 2 },
              "model": { "hidden": [24] },
              "training": { "epochs": 2000, "batchSize": 16, "earlyStopping": null, "schedule": { "learningRate": 0.003 } },
              "averaging": { "decay": 0.99, "everySteps": 50 },
              "checkpoints": { "everySeconds": 1 }
            }
            """);
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Files without a name are found by their descriptors.");
        var whole = (await EnsembleProcess.RunAsync("train", spec, "--name", "whole", "--json", "--runs", _folder.Path)).Succeeded();
        for (var attempt = 0; ; attempt++)
        {
            using var process = EnsembleProcess.Start(s_inFile, ["train", spec, "--name", "killed", "--runs", _folder.Path]);
            while (!process.HasExited && Status("killed") is not { Steps: > 0 }) await Task.Delay(1, TestContext.Current.CancellationToken);
            var files = FilesWithoutName(process.Id);
            process.Kill();
            var outcome = await process.EndAsync();
            Assert.True(Status("killed") is { Steps: > 0 }, outcome.Error);
            Assert.Empty(Directory.EnumerateFiles(_folder.Path, ".*"));
            // Unless it had ended before: of the rows that train and of those that test.
            if (files > 0 && !Status("killed")!.HasEnded)
            {
                Assert.Equal(2, files);
                break;
            }

            Assert.True(attempt < 5, "Each run had ended before it was killed.");
            Directory.Delete(new RunFolder(_folder.Path, "killed").Root, recursive: true);
        }

        var resumed = (await EnsembleProcess.RunAsync(s_inFile, ["resume", "killed", "--json", "--runs", _folder.Path])).Succeeded();

        AssertInFile(resumed);
        Assert.Equal(Status("whole")!.Snapshots, Status("killed")!.Snapshots);
        Assert.Equal(Status("whole")!.Ema, Status("killed")!.Ema);
        foreach (var key in (string[])["ensemble", "single"]) Assert.Equal($"{whole.Json.GetProperty(key)}", $"{resumed.Json.GetProperty(key)}");

        string[] Distill(string name) => ["distill", "whole", "--name", name, "--set", "distillation.mixed=0.5", "--set", "training.epochs=20", "--runs", _folder.Path];
        (await EnsembleProcess.RunAsync(Distill("student"))).Succeeded();
        AssertInFile((await EnsembleProcess.RunAsync(s_inFile, Distill("other"))).Succeeded());
        Assert.Equal(Status("student")!.Snapshots, Status("other")!.Snapshots);
        Assert.Empty(Directory.EnumerateFiles(_folder.Path, ".*"));
    }

    /// <summary>Commands that read a run in the place of a silo read it as one, settings and warnings included.</summary>
    [Fact]
    public async Task What_an_evaluation_reads_lies_in_a_file_too_and_it_says_where_it_cannot()
    {
        string[] evaluate = ["evaluate", "run", "--json", "--runs", _folder.Path];
        (await EnsembleProcess.RunAsync("train", "--dataset", Table(), "--name", "run", "--set", "training.epochs=1", "--set", "members=2", "--runs", _folder.Path)).Succeeded();
        var memory = (await EnsembleProcess.RunAsync(evaluate)).Succeeded();
        var file = (await EnsembleProcess.RunAsync(s_inFile, evaluate)).Succeeded();
        AssertInFile(file);
        Assert.Equal($"{memory.Json}", $"{file.Json}");

        Assert.SkipUnless(Directory.Exists("/dev/shm") && new DriveInfo("/dev/shm").DriveFormat == "tmpfs", "/dev/shm is no tmpfs");
        var shared = Directory.CreateDirectory($"/dev/shm/ensemble-{Guid.NewGuid():N}");
        try
        {
            foreach (var source in Directory.EnumerateFiles(_folder.File("run"), "*", SearchOption.AllDirectories))
            {
                var copy = Path.Combine(shared.FullName, Path.GetRelativePath(_folder.Path, source));
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(source, copy);
            }

            var told = (await EnsembleProcess.RunAsync(s_inFile, ["evaluate", "run", "--json", "--runs", shared.FullName])).Succeeded();
            Assert.Matches($@"^Warning: The inputs of .*waves\.csv \(0\.0 MiB\) do not lie in a file: {shared.FullName} is memory itself \(tmpfs\)\.$", told.Error.TrimEnd());
            Assert.Equal($"{memory.Json.GetProperty("ensemble")}", $"{told.Json.GetProperty("ensemble")}");
        }
        finally
        {
            shared.Delete(recursive: true);
        }
    }

    private static void AssertInFile(Outcome outcome) => Assert.DoesNotContain("do not lie in a file", outcome.Error, StringComparison.Ordinal);

    private string Table()
    {
        var table = _folder.File("waves.csv");
        File.WriteAllLines(table, ["a,b,c,d,y", .. Enumerable.Range(0, 200).Select(i => $"{i * 7 % 31},{i * i % 43},level {i * 11 % 17},{i % 5},{(i * 7 % 31) + (3 * (i % 5)) + (i * i % 43 / 4.0)}")]);
        return table;
    }

    /// <summary>Of the folder, that a process has open.</summary>
    private int FilesWithoutName(int process)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries($"/proc/{process}/fd").Count(link =>
                new FileInfo(link).LinkTarget is { } target && target.StartsWith(_folder.File("."), StringComparison.Ordinal) && target.EndsWith(" (deleted)", StringComparison.Ordinal));
        }
        catch (DirectoryNotFoundException)
        {
            return 0;
        }
    }

    private RunStatus? Status(string run)
    {
        var folder = new RunFolder(_folder.Path, run);
        return File.Exists(folder.Status) ? RunStatusJson.FromJson(File.ReadAllText(folder.Status)) : null;
    }
}
