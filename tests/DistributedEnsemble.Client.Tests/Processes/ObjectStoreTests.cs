using DistributedEnsemble.Runs;
using DistributedEnsemble.Tests.Objects;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Client.Tests.Processes;

/// <summary>The program with runs that are objects of a store, which takes the protocol by the letter.</summary>
public sealed class ObjectStoreTests : IAsyncDisposable
{
    private const string Spec = """
        {
          "seed": 3, "members": 2,
          "data": { "dataset": "digits" },
          "model": { "hidden": [40] },
          "training": { "epochs": 30, "batchSize": 100, "schedule": { "kind": "cyclic-cosine", "learningRate": 0.05, "cycles": 4 } },
          "averaging": { "decay": 0.99, "everySteps": 50, "reset": "cycle" },
          "checkpoints": { "everySeconds": 1 },
          "logging": { "everySteps": 5 }
        }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("ensemble-").FullName;
    private readonly StrictObjectServer _server = new();

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_run_over_objects_that_is_killed_and_whose_store_fails_at_times_ends_as_one_in_a_folder()
    {
        File.WriteAllText(Path.Combine(_folder, "spec.json"), Spec);
        string[] train = ["train", Path.Combine(_folder, "spec.json"), "--name", "run"];
        (await EnsembleProcess.RunAsync([.. train, "--runs", _folder])).Succeeded();
        var expected = new RunFolder(_folder, "run");
        using var objects = _server.Open("runs", Path.Combine(_folder, "scratch"));
        var found = new RunFolder(objects, "run");
        var (random, gate) = (new Random(1), new Lock());
        ObjectFault[] faults = [ObjectFault.Torn, ObjectFault.AnswerLost, new(503, "SlowDown"), new(500, "InternalError"), new(409, "ConditionalRequestConflict")];
        _server.Fault = _ =>
        {
            lock (gate) return random.Next(40) == 0 ? faults[random.Next(faults.Length)] : null;
        };

        using (var process = Start(train))
        {
            while (!process.HasExited && RunStatusFile.Read(found) is not { Steps: > 100 }) await Task.Delay(20, TestContext.Current.CancellationToken);
            process.Kill();
            await process.EndAsync();
        }

        Assert.False(RunStatusFile.Read(found)!.HasEnded);
        // Whoever comes at once may not know yet that the process has ended.
        _server.Age(TimeSpan.FromMinutes(1));
        using (var process = Start("resume", "run")) (await process.EndAsync()).Succeeded();

        var (whole, killed) = (RunStatusFile.Read(expected)!, RunStatusFile.Read(found)!);
        Assert.Equal(RunState.Completed, killed.State);
        Assert.Equal(whole.Snapshots, killed.Snapshots);
        Assert.NotEmpty(whole.Ema);
        Assert.Equal(whole.Ema, killed.Ema);
        foreach (var member in whole.Members)
            Assert.Equal(expected.Storage.ReadAllText($"run/{RunFolder.Metrics(member.Index)}"), objects.ReadAllText($"run/{RunFolder.Metrics(member.Index)}"));
        // What the process has of its own is what is on its way.
        Assert.DoesNotContain(Directory.EnumerateFiles(Path.Combine(_folder, "own"), "*", SearchOption.AllDirectories), file => file.EndsWith(".safetensors", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_store_that_refuses_the_keys_or_is_away_ends_the_program_with_one_line()
    {
        using var refused = EnsembleProcess.Start(_server.Environment("another"), ["list", "--store", StrictObjectServer.Address("runs")]);
        (await refused.EndAsync()).Refused(2,
            $"s3://ensemble/runs: {_server.Url} refuses the keys (SignatureDoesNotMatch): AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be those of somebody who may list, read, write and delete there.");

        _server.Fault = _ => new ObjectFault(503, "SlowDown");
        using var away = EnsembleProcess.Start(_server.Environment(), ["list", "--store", StrictObjectServer.Address("runs")]);
        (await away.EndAsync()).Refused(3, $"s3://ensemble/runs: {_server.Url} does not do what it is asked (503 SlowDown).");
    }

    [Fact]
    public async Task A_store_that_says_nothing_is_told_of_when_the_time_is_over_that_is_waited()
    {
        _server.Fault = _ => ObjectFault.Hung;
        var environment = _server.Environment();
        environment["ENSEMBLE__TIMING__STOREANSWER"] = "00:00:01.5";

        foreach (var command in (string[][])[["list"], ["train"]])
        {
            using var process = EnsembleProcess.Start(environment, [.. command, "--store", StrictObjectServer.Address("runs"), "--runs", Path.Combine(_folder, "own")]);
            (await process.EndAsync()).Refused(3,
                $"s3://ensemble/runs: {_server.Url} has said nothing for 1.5 s: is it overloaded, or the way to it cut? (ENSEMBLE__TIMING__STOREANSWER is how long is waited.)");
        }
    }

    [Theory]
    [InlineData("list", "Stopped before all runs were read.\n")]
    [InlineData("train", "Stopped before anything was trained: nothing has changed.\n")]
    public async Task A_signal_ends_a_program_that_waits_for_a_store_that_says_nothing(string command, string line)
    {
        var isAsked = new TaskCompletionSource();
        _server.Fault = _ =>
        {
            isAsked.TrySetResult();
            return ObjectFault.Hung;
        };
        var environment = _server.Environment();
        environment["ENSEMBLE__TIMING__STOREANSWER"] = "01:00:00";
        using var process = EnsembleProcess.Start(environment, [command, "--store", StrictObjectServer.Address("runs"), "--runs", Path.Combine(_folder, "own")]);
        await isAsked.Task.WaitAsync(TestContext.Current.CancellationToken);

        process.Signal(EnsembleProcess.Interrupt);

        var outcome = await process.EndAsync();
        Assert.Equal((130, "", line), (outcome.ExitCode, outcome.Out, outcome.Error));
    }

    [Fact]
    public async Task A_server_that_nobody_runs_and_a_bucket_that_nobody_made_end_the_program_with_one_line()
    {
        var gone = new StrictObjectServer();
        await gone.DisposeAsync();
        using var nobody = EnsembleProcess.Start(gone.Environment(), ["list", "--store", StrictObjectServer.Address("runs")]);
        (await nobody.EndAsync()).Refused(3,
            $"s3://ensemble/runs: {gone.Url} does not answer as a store of objects (Connection refused): is it running there, and may this machine reach it?");

        using var missing = EnsembleProcess.Start(_server.Environment(), ["train", "--store", "s3://missing/runs"]);
        (await missing.EndAsync()).Refused(2, $"s3://missing/runs: there is no bucket \"missing\" at {_server.Url}: make it, or name another one.");
    }

    [Fact]
    public async Task Keys_may_stand_in_a_file_which_no_list_of_processes_shows()
    {
        var file = Path.Combine(_folder, "keys");
        File.WriteAllText(file, $"[default]\naws_access_key_id = {StrictObjectServer.AccessKey}\naws_secret_access_key = {StrictObjectServer.SecretKey}\n");
        var environment = _server.Environment();
        (environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"], environment["AWS_SHARED_CREDENTIALS_FILE"]) = ("", "", file);

        using var list = EnsembleProcess.Start(environment, ["list", "--store", StrictObjectServer.Address("runs")]);
        (await list.EndAsync()).Succeeded();

        (environment["AWS_SHARED_CREDENTIALS_FILE"], environment["AWS_EC2_METADATA_DISABLED"]) = (Path.Combine(_folder, "none"), "true");
        using var none = EnsembleProcess.Start(environment, ["list", "--store", StrictObjectServer.Address("runs")]);
        (await none.EndAsync()).Refused(2, "s3://ensemble/runs: there are no keys: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.");
    }

    private EnsembleProcess Start(params string[] arguments) =>
        EnsembleProcess.Start(_server.Environment(), [.. arguments, "--store", StrictObjectServer.Address("runs"), "--runs", Path.Combine(_folder, "own")]);
}
