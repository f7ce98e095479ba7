using System.Text.Json;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Client.Tests.Processes;

public sealed class KilledProcessTests : IDisposable
{
    private const string Spec = """
        {
          "seed": 3, "members": 2,
          "data": { "dataset": "digits" },
          "model": { "hidden": [40] },
          "training": { "epochs": 60, "batchSize": 100, "schedule": { "kind": "cyclic-cosine", "learningRate": 0.05, "cycles": 4 } },
          "regularization": { "l2": 1e-4, "dropout": { "rate": 0.2 } },
          "averaging": { "decay": 0.99, "everySteps": 50, "reset": "cycle" },
          "checkpoints": { "everySeconds": 1 },
          "logging": { "everySteps": 5 }
        }
        """;

    /// <summary>A number by submodels, each member of half of the columns and without its fold.</summary>
    private const string Columns = """
        {
          "seed": 3, "members": 2,
          "data": { "dataset": "TABLE", "target": "y", "folds": 2, "columns": 0.5 },
          "model": { "kind": "tabm", "submodels": 4, "hidden": [24], "numericEmbedding": "piecewise-linear" },
          "training": { "epochs": 3000, "batchSize": 16, "earlyStopping": null, "schedule": { "learningRate": 0.003 } },
          "averaging": { "decay": 0.99, "everySteps": 50 },
          "checkpoints": { "everySeconds": 1 },
          "logging": { "everySteps": 50 }
        }
        """;

    /// <summary>Channels that are dropped, in rows that are seen twice.</summary>
    private const string Spatial = """
        {
          "seed": 3, "members": 2,
          "data": { "dataset": "digits" },
          "model": { "kind": "resnet", "depth": 8, "width": 4 },
          "training": { "epochs": 8, "batchSize": 50, "schedule": { "learningRate": 0.05 } },
          "regularization": { "dropout": { "rate": 0.2, "spatial": true, "repeats": 2 } },
          "averaging": { "decay": 0.99, "everySteps": 20 },
          "checkpoints": { "everySeconds": 1 },
          "logging": { "everySteps": 10 }
        }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("ensemble-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_run_whose_processes_are_killed_ends_as_if_none_ever_was()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("ENSEMBLE_TEST_SEED"), out var given) ? given : Random.Shared.Next();
        var history = new List<string> { $"ENSEMBLE_TEST_SEED={seed}" };
        var random = new Random(seed);
        (await EnsembleProcess.RunAsync(Train("whole"))).Succeeded();

        var killed = new RunFolder(_folder, "killed");
        for (var death = 0; death < 4; death++)
        {
            using var process = EnsembleProcess.Start(File.Exists(killed.Record) ? Resume() : Train("killed"));
            var (writes, delay, isSudden) = (random.Next(1, 16), random.Next(0, 60), random.Next(4) > 0);
            history.Add($"{(isSudden ? "SIGKILL" : "SIGTERM")} {writes} writes of the record and {delay} ms later");
            for (var after = Version(killed) + writes; !process.HasExited && Version(killed) < after;)
            {
                await Task.Delay(1, TestContext.Current.CancellationToken);
            }

            await Task.Delay(delay, TestContext.Current.CancellationToken);
            if (isSudden) process.Kill();
            else process.Stop();
            var outcome = await process.EndAsync();
            Assert.True(outcome.ExitCode is 0 or 128 + 9 or 128 + 15, $"{string.Join('\n', history)}\n{outcome.Error}");
            if (Status(killed)?.HasEnded == true) break;
        }

        if (Status(killed)?.HasEnded != true) (await EnsembleProcess.RunAsync(File.Exists(killed.Record) ? Resume() : Train("killed"))).Succeeded();

        var told = string.Join('\n', history);
        TestContext.Current.TestOutputHelper?.WriteLine(told);
        AssertSame(new RunFolder(_folder, "whole"), killed, told);
    }

    [Theory]
    [InlineData(Columns)]
    [InlineData(Spatial)]
    public async Task Members_of_every_kind_that_are_killed_end_as_if_they_never_were(string spec)
    {
        var table = Path.Combine(_folder, "waves.csv");
        File.WriteAllLines(table, ["a,b,c,d,y", .. Enumerable.Range(0, 200).Select(i => $"{i * 7 % 31},{i * i % 43},{i * 11 % 17},{i % 5},{(i * 7 % 31) + (3 * (i % 5)) + (i * i % 43 / 4.0)}")]);
        var file = SpecFile("kinds", spec.Replace("TABLE", table, StringComparison.Ordinal));
        (await EnsembleProcess.RunAsync("train", file, "--name", "whole", "--runs", _folder)).Succeeded();
        var killed = await KilledAsync("train", file, "--name", "killed", "--runs", _folder);
        (await EnsembleProcess.RunAsync(Resume())).Succeeded();

        AssertSame(new RunFolder(_folder, "whole"), killed, "killed after its first checkpoint");
    }

    [Fact]
    public async Task A_student_that_is_killed_ends_as_if_it_never_was_also_when_its_teacher_and_further_rows_are_gone()
    {
        (await EnsembleProcess.RunAsync([.. Train("teacher"), "--epochs", "4", "--set", "checkpoints.everySeconds=1"])).Succeeded();
        var further = Path.Combine(_folder, "rows.csv");
        File.WriteAllLines(further, Enumerable.Range(-1, 301).Select(row => string.Join(',', Enumerable.Range(0, 64).Select(pixel => row < 0 ? $"pixel{pixel}" : $"{((row * 7) + (pixel * 5)) % 17}"))));
        (await EnsembleProcess.RunAsync(Distill("whole"))).Succeeded();
        var killed = await KilledAsync(Distill("killed"));
        Directory.Delete(new RunFolder(_folder, "teacher").Root, recursive: true);
        File.Delete(further);
        (await EnsembleProcess.RunAsync(Resume())).Succeeded();

        Assert.Equal(Status(new RunFolder(_folder, "whole"))!.Snapshots, Status(killed)!.Snapshots);
    }

    [Fact]
    public async Task Two_processes_train_in_one_folder_and_a_third_is_refused_on_their_runs()
    {
        string[] arguments = ["train", SpecFile("endless", Spec.Replace("\"epochs\": 60", "\"epochs\": 1000000")), "--runs", _folder];
        using EnsembleProcess one = EnsembleProcess.Start(arguments), other = EnsembleProcess.Start(arguments);
        RunFolder[] folders = [new(_folder, "digits-1"), new(_folder, "digits-2")];
        while (!folders.All(folder => Status(folder)?.Steps > 0))
        {
            Assert.False(one.HasExited || other.HasExited);
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        (await EnsembleProcess.RunAsync("resume", "digits-1", "--runs", _folder)).Refused(2,
            "Run \"digits-1\" is in training in another process. "
            + "Watch it with `ensemble watch digits-1`, or stop it with `ensemble stop digits-1`.");

        one.Stop();
        other.Stop();
        foreach (var process in (EnsembleProcess[])[one, other]) Assert.Equal(143, (await process.EndAsync()).ExitCode);
        Assert.All(folders, folder => Assert.Equal(RunState.Paused, Status(folder)!.State));
    }

    /// <summary>
    /// The run "killed", whose process was killed past its first checkpoint, but not at its end: on a machine that gave this test no
    /// time until the run had ended, another one is.
    /// </summary>
    private async Task<RunFolder> KilledAsync(params string[] arguments)
    {
        var killed = new RunFolder(_folder, "killed");
        for (var attempt = 0; ; attempt++)
        {
            using var process = EnsembleProcess.Start(arguments);
            while (!process.HasExited && Status(killed) is not { Steps: > 0 }) await Task.Delay(1, TestContext.Current.CancellationToken);
            process.Kill();
            var outcome = await process.EndAsync();
            Assert.True(Status(killed) is { Steps: > 0 }, outcome.Error);
            if (!Status(killed)!.HasEnded) return killed;
            Assert.True(attempt < 5, "Each run had ended before it was killed.");
            Directory.Delete(killed.Root, recursive: true);
        }
    }

    private string[] Train(string name) => ["train", SpecFile("spec", Spec), "--name", name, "--runs", _folder];

    private string[] Distill(string name) => ["distill", "teacher", "--name", name, "--unlabelled", Path.Combine(_folder, "rows.csv"), "--set", "distillation.mixed=0.5", "--set", "training.epochs=150", "--runs", _folder];

    private string[] Resume() => ["resume", "killed", "--runs", _folder];

    private string SpecFile(string name, string spec)
    {
        var path = Path.Combine(_folder, $"{name}.spec");
        File.WriteAllText(path, spec);
        return path;
    }

    private static void AssertSame(RunFolder expected, RunFolder found, string history)
    {
        var (whole, killed) = (Status(expected)!, Status(found)!);
        Assert.True(killed.State == RunState.Completed, $"{history}\n{killed.Reason}");
        Assert.True(whole.Snapshots.SequenceEqual(killed.Snapshots), history);
        Assert.NotEmpty(whole.Ema);
        Assert.True(whole.Ema.SequenceEqual(killed.Ema), history);
        foreach (var member in whole.Members)
        {
            var metrics = RunFolder.Metrics(member.Index);
            Assert.True(File.ReadAllText(expected.Path(metrics)) == File.ReadAllText(found.Path(metrics)), $"{history}\n{metrics}");
        }
    }

    private static RunStatus? Status(RunFolder folder) => File.Exists(folder.Status) ? RunStatusJson.FromJson(File.ReadAllText(folder.Status)) : null;

    private static long Version(RunFolder folder)
    {
        if (!File.Exists(folder.Record)) return 0;
        using var record = JsonDocument.Parse(File.ReadAllBytes(folder.Record));
        return record.RootElement.GetProperty("version").GetInt64();
    }
}
