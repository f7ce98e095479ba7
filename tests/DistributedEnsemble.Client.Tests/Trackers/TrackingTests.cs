using System.Text;
using DistributedEnsemble.Client.Commands;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Client.Tests.Rendering;
using DistributedEnsemble.Client.Trackers;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Files;
using Spectre.Console;

namespace DistributedEnsemble.Client.Tests.Trackers;

/// <summary>What other tools are told of a training.</summary>
public sealed class TrackingTests
{
    private static readonly string[] s_train =
        ["train", "--name", "r", "--members", "2", "--epochs", "2", "--set", "model.kind=mlp", "--set", "model.hidden=[8]", "--set", "logging.everySteps=20"];

    [Fact]
    public async Task An_mlflow_server_gets_parameters_metrics_by_step_measures_and_files()
    {
        using var driver = new TestDriver();
        await using var server = new StrictMlflow();

        (await driver.RunAsync([.. s_train, "--mlflow", server.Url])).Succeeded();

        Assert.Empty(server.Faults);
        Assert.Equal("digits", server.Experiment);
        Assert.Equal("r", server.RunName);
        Assert.Equal("8", server.Parameters["model.hidden"].Trim('[', ']'));
        Assert.Equal("2", server.Parameters["members"]);
        var losses = server.Metrics.Where(metric => metric.Key == "member_01/loss").OrderBy(metric => metric.Step).ToList();
        Assert.True(losses.Count > 1 && losses.All(metric => metric.Step % 20 == 0 || metric == losses[^1]));
        Assert.Contains(server.Metrics, metric => metric.Key == "ensemble/accuracy");
        Assert.Equal(["data.json", "run.json", "spec.json"], server.Files.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(driver.RunsFolder, "r", "spec.json"), TestContext.Current.CancellationToken), server.Files["spec.json"]);
        Assert.Equal("FINISHED", server.Status);
    }

    [Fact]
    public async Task An_mlflow_server_that_names_itself_gets_the_files_and_of_another_store_it_is_said_that_it_gets_none()
    {
        using TestDriver driver = new(), other = new();
        await using var named = new StrictMlflow { Store = "mlflow-artifacts://tracking.example:5000" };
        await using var elsewhere = new StrictMlflow { Store = "s3://bucket" };

        Assert.Equal("", (await driver.RunAsync([.. s_train, "--mlflow", named.Url])).Succeeded().Error);
        var outcome = (await other.RunAsync([.. s_train, "--mlflow", elsewhere.Url])).Succeeded();

        Assert.Empty(named.Faults);
        Assert.Equal(["data.json", "run.json", "spec.json"], named.Files.Keys.Order(StringComparer.Ordinal));
        Assert.StartsWith("Warning: The tracking server keeps files of runs at s3://bucket/7/", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
        Assert.Empty(elsewhere.Files);
        Assert.Equal("FINISHED", elsewhere.Status);
    }

    [Theory]
    [InlineData(RunState.Completed, "FINISHED")]
    [InlineData(RunState.Degraded, "FINISHED")]
    [InlineData(RunState.Failed, "FAILED")]
    [InlineData(RunState.Paused, "KILLED")]
    public async Task An_mlflow_server_is_told_how_a_run_ended(RunState state, string told)
    {
        using var driver = new TestDriver();
        await using var server = new StrictMlflow();
        var spec = EnsembleSpec.FromJson("""{ "name": "r", "members": 1, "data": { "dataset": "digits" } }""");
        await using var tracker = await MlflowTracker.BeginAsync(new MlflowServer(server.Url), new RunFolder(driver.RunsFolder, "r"), spec, TimeProvider.System);

        await tracker.EndAsync(Statuses.Of(state, Statuses.Waiting(0)), null);

        Assert.Empty(server.Faults);
        Assert.Equal(told, server.Status);
    }

    [Theory]
    [InlineData("nowhere", 2, "--mlflow is nowhere: it takes the address of a tracking server, as in http://127.0.0.1:5000.")]
    [InlineData("http://127.0.0.1:1", 3, "The tracking server http://127.0.0.1:1/ does not answer: ")]
    public async Task A_server_that_is_none_is_said_before_anything_is_trained(string url, int exitCode, string error)
    {
        using var driver = new TestDriver();

        var outcome = await driver.RunAsync([.. s_train, "--mlflow", url]);

        Assert.Equal(exitCode, outcome.ExitCode);
        Assert.StartsWith(error, outcome.Error, StringComparison.Ordinal);
        Assert.Empty(driver.Runs);
    }

    [Fact]
    public async Task Event_files_that_are_written_while_it_trains_say_what_those_say_that_are_written_afterwards()
    {
        using var driver = new TestDriver();
        (await driver.RunAsync([.. s_train, "--set", "averaging.decay=0.9", "--set", "averaging.everySteps=20", "--tensorboard"])).Succeeded();
        var folder = Path.Combine(driver.RunsFolder, "r", "tensorboard");
        var during = Events();
        Assert.Equal(["ema", "ensemble", "member-00", "member-01"], during.Keys.Order(StringComparer.Ordinal));
        Assert.All(during.Values, events => Assert.True(events.Count > 3));

        var outcome = (await driver.RunAsync("tensorboard", "r")).Succeeded();

        Assert.Equal($"Show it with: tensorboard --logdir {folder}\n", outcome.Out);
        Assert.Equal(during, Events());

        Dictionary<string, List<string>> Events() => Directory.GetDirectories(folder).ToDictionary(
            path => Path.GetFileName(path), path => Directory.GetFiles(path).Order(StringComparer.Ordinal).SelectMany(file => WithoutTimes(File.ReadAllBytes(file))).ToList());

        // A record is its length, a checksum, an event that begins with a tag and its time, and a checksum; what runs were given has a time within.
        static IEnumerable<string> WithoutTimes(byte[] file)
        {
            for (int at = 0, length; at < file.Length; at += 16 + length)
            {
                length = (int)BitConverter.ToInt64(file, at);
                Assert.Equal(9, file[at + 12]);
                var said = Encoding.Latin1.GetString(file, at + 12 + 9, length - 9);
                if (!said.Contains("session_start_info", StringComparison.Ordinal)) yield return said;
            }
        }
    }

    [Fact]
    public async Task Event_files_say_of_the_ensemble_and_of_its_ema_models_what_evaluate_says()
    {
        using var driver = new TestDriver();
        (await driver.RunAsync([.. s_train, "--set", "averaging.decay=0.9", "--set", "averaging.everySteps=20", "--tensorboard"])).Succeeded();

        foreach (var (folder, from) in new[] { ("ensemble", "final"), ("ema", "ema") })
        {
            var file = File.ReadAllBytes(Assert.Single(Directory.GetFiles(Path.Combine(driver.RunsFolder, "r", "tensorboard", folder))));
            var measures = (await driver.RunAsync("evaluate", "r", "--from", from, "--json")).Succeeded().Json.GetProperty("ensemble");
            foreach (var measure in new[] { "accuracy", "nll", "brier", "ece" })
                Assert.Equal((float)measures.GetProperty(measure).GetDouble(), Assert.Single(Scalars(file, $"test/{measure}")));
        }

        // A value is its tag, and then the number behind the byte that says so.
        static IEnumerable<float> Scalars(byte[] file, string tag)
        {
            var name = Encoding.UTF8.GetBytes(tag);
            for (var at = 0; at + name.Length + 5 <= file.Length; at++)
                if (file.AsSpan(at, name.Length).SequenceEqual(name) && file[at + name.Length] == 0x15) yield return BitConverter.ToSingle(file, at + name.Length + 1);
        }
    }

    [Theory]
    [InlineData(500, "not JSON", "Warning: The tracking server http://127.0.0.1:PORT/ answers 500 InternalServerError. The run goes on without.\n")]
    [InlineData(400, """{"error_code":"INVALID_PARAMETER_VALUE","message":"no\nroom"}""", "Warning: The tracking server says: no room The run goes on without.\n")]
    public async Task A_server_that_refuses_metrics_is_said_in_one_line_and_the_run_goes_on(int status, string answer, string warning)
    {
        using var driver = new TestDriver();
        await using var server = new StrictMlflow { Refusal = (status, answer) };

        var outcome = (await driver.RunAsync([.. s_train, "--mlflow", server.Url])).Succeeded();

        Assert.Equal(warning.Replace("PORT", $"{new Uri(server.Url).Port}", StringComparison.Ordinal), outcome.Error);
        Assert.Contains("ensemble of 2", outcome.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}", "Warning: http://127.0.0.1:PORT/ answers without run_id: it is no tracking server. The run goes on without.\n")]
    [InlineData("[1]", "Warning: http://127.0.0.1:PORT/ answers without run_id: it is no tracking server. The run goes on without.\n")]
    [InlineData("{\"run\":{\"info\":{\"run_id\":7}}}", "Warning: http://127.0.0.1:PORT/ answers without run_id: it is no tracking server. The run goes on without.\n")]
    [InlineData("", "Warning: http://127.0.0.1:PORT/ answers without run_id: it is no tracking server. The run goes on without.\n")]
    public async Task A_server_that_begins_no_run_is_said_in_one_line_and_the_run_goes_on(string answer, string warning)
    {
        using var driver = new TestDriver();
        await using var server = new StrictMlflow { Created = answer };

        var outcome = (await driver.RunAsync([.. s_train, "--mlflow", server.Url])).Succeeded();

        Assert.Equal(warning.Replace("PORT", $"{new Uri(server.Url).Port}", StringComparison.Ordinal), outcome.Error);
        Assert.Contains("ensemble of 2", outcome.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whatever_a_tracker_cannot_do_the_others_are_told()
    {
        using var driver = new TestDriver();
        await using TellingTracker first = new(new InvalidDataException("a link")), second = new(null);
        List<IRunTracker> trackers = [first, second];
        var warnings = new StringWriter();
        var consoles = new Consoles(AnsiConsole.Console, AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(warnings) }));

        await new Tracking(new SharedOptions(), consoles, TimeProvider.System).TellAsync(trackers, tracker => tracker.EndAsync(Statuses.Of(RunState.Completed, Statuses.Waiting(0)), null));

        Assert.Equal([second], trackers);
        Assert.True(second.IsTold);
        Assert.Equal("Warning: a link The run goes on without.", warnings.ToString().Trim());
    }

    private sealed class TellingTracker(Exception? fault) : IRunTracker
    {
        public bool IsTold { get; private set; }

        public Task FollowAsync(RunStatus status) => Task.CompletedTask;

        public Task EndAsync(RunStatus status, EvaluationReport? evaluation)
        {
            IsTold = true;
            return fault is null ? Task.CompletedTask : Task.FromException(fault);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Quiet_prints_what_comes_of_it_alone()
    {
        using var driver = new TestDriver();

        var outcome = (await driver.RunAsync([.. s_train, "--quiet"])).Succeeded();

        Assert.DoesNotContain("member 0", outcome.Out, StringComparison.Ordinal);
        Assert.Contains("ensemble of 2", outcome.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_live_page_is_served_while_it_trains()
    {
        using var driver = new TestDriver();

        var outcome = (await driver.RunAsync([.. s_train, "--open"])).Succeeded();

        Assert.Matches(@"^Watch it at http://127\.0\.0\.1:\d+/#/runs/r\n", outcome.Error);
        Assert.EndsWith($"The page ends with the training; `ensemble serve r --runs {driver.RunsFolder}` shows it again.\n", outcome.Error, StringComparison.Ordinal);
    }
}
