using System.Text.Json;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Serving.Processes;
using Spectre.Console.Testing;

namespace DistributedEnsemble.Client.Tests.Commands;

/// <summary>The life of a run as several terminals see it.</summary>
public sealed class LifeTests : IDisposable
{
    private static readonly string[] Spec =
        ["train", "--members", "3", "--set", "training.epochs=3000", "--set", "model.hidden=[24]", "--set", "regularization.dropout.rate=0.2",
            "--set", "snapshots.perMember=2", "--set", "logging.everySteps=990"];

    private readonly TestDriver _driver = new();

    [Fact]
    public async Task A_run_that_is_stopped_and_resumed_ends_with_the_weights_and_metrics_of_one_that_never_was()
    {
        var undisturbed = (await _driver.RunAsync([.. Spec, "--name", "undisturbed", "--json"])).Succeeded().Json;

        var training = _driver.RunAsync([.. Spec, "--name", "disturbed"]);
        await WhenTrainingAsync(training, "disturbed");
        var stop = (await _driver.RunAsync("stop", "disturbed", "--json")).Succeeded();
        var stopped = await training;
        var resumed = (await _driver.RunAsync("resume", "disturbed", "--json")).Succeeded().Json;

        Assert.Equal("paused", stop.Json.GetProperty("state").GetString());
        Assert.Equal(1, stopped.ExitCode);
        Assert.Matches(@"^Run ""disturbed"" is paused at step [\d,]+ of 369,000: stopped\nGo on with: ensemble resume disturbed", stopped.Error);
        Assert.Equal(undisturbed.GetProperty("weights").GetRawText(), resumed.GetProperty("weights").GetRawText());
        Assert.Equal(Numbers(undisturbed, "ensemble"), Numbers(resumed, "ensemble"));
        foreach (var member in new[] { "00", "01", "02" }) Assert.Equal(Metrics("undisturbed", member), Metrics("disturbed", member));
    }

    [Fact]
    public async Task A_run_that_trains_is_neither_deleted_nor_resumed_and_ends_when_it_is_stopped()
    {
        var training = _driver.RunAsync([.. Spec, "--name", "busy", "--set", "training.epochs=100000"]);
        await WhenTrainingAsync(training, "busy");

        (await _driver.RunAsync("delete", "busy", "--yes")).Refused(2, "Run \"busy\" is in training. Stop it with `ensemble stop busy`, then delete it.");
        (await _driver.RunAsync("stop", "busy")).Succeeded();
        await training;
        var deleted = (await _driver.RunAsync("delete", "busy", "--yes")).Succeeded();

        Assert.Equal("Run \"busy\" is gone.\n", deleted.Out);
        Assert.Empty(_driver.Runs);
        (await _driver.RunAsync("delete", "busy", "--yes")).Refused(
            2, $"Run \"busy\" does not exist in {_driver.RunsFolder}. `ensemble list --runs {_driver.RunsFolder}` shows those that do.");
    }

    [Fact]
    public async Task A_completed_run_is_neither_stopped_nor_resumed_and_is_deleted_only_on_a_clear_word()
    {
        (await _driver.RunAsync([.. Spec, "--name", "done", "--set", "training.epochs=1"])).Succeeded();

        (await _driver.RunAsync("stop", "done")).Refused(2, "Run \"done\" is not in training: there is nothing to stop.");
        (await _driver.RunAsync("resume", "done")).Refused(
            2, "Run \"done\" is completed: there is nothing to resume. Evaluate it with `ensemble evaluate done`.");
        (await _driver.RunAsync("delete", "done")).Refused(
            2, "Run \"done\" is not deleted without a word: nobody can be asked here. Say --yes.");
        Assert.Equal(["done"], _driver.Runs);
    }

    [Fact]
    public async Task A_run_that_does_not_exist_is_not_resumed() => (await _driver.RunAsync("resume", "nobody")).Refused(
        2, $"Run \"nobody\" does not exist in {_driver.RunsFolder}. `ensemble list --runs {_driver.RunsFolder}` shows those that do.");

    [Fact]
    public async Task A_folder_that_is_no_run_is_never_deleted()
    {
        Directory.CreateDirectory(Path.Combine(_driver.RunsFolder, "photos"));

        (await _driver.RunAsync("delete", "photos", "--yes")).Refused(
            2, $"Run \"photos\" does not exist in {_driver.RunsFolder}. `ensemble list --runs {_driver.RunsFolder}` shows those that do.");
        Assert.Equal(["photos"], _driver.Runs);
    }

    [Theory]
    [InlineData("y", 0)]
    [InlineData("n", 1)]
    [InlineData("", 1)]
    public async Task On_a_terminal_the_answer_decides_whether_a_run_is_deleted(string answer, int exitCode)
    {
        (await _driver.RunAsync([.. Spec, "--name", "r", "--set", "training.epochs=1"])).Succeeded();
        using TestConsole output = new(), error = new TestConsole().Interactive();
        error.Input.PushTextWithEnter(answer);
        var driver = new Driver(
            _driver.Backend, new Consoles(output, error) { CanAsk = true }, Wiring.Failures, TimeProvider.System, () => new Interruption(_ => { }));

        Assert.Equal(exitCode, await driver.RunAsync(["delete", "r", "--runs", _driver.RunsFolder]));

        Assert.Equal(exitCode == 1, _driver.Runs.Any());
    }

    [Fact]
    public async Task What_a_signal_paused_is_resumed_and_can_be_paused_again()
    {
        Assert.Equal(130, (await _driver.RunAsync(signal => _ = SignalAsync(signal, 0), [.. Spec, "--name", "r", "--set", "training.epochs=100000"])).ExitCode);
        var before = await _driver.StepsAsync("r");

        Assert.Equal(130, (await _driver.RunAsync(signal => _ = SignalAsync(signal, before), "resume", "r")).ExitCode);

        Assert.True(await _driver.StepsAsync("r") > before);
    }

    [Fact]
    public async Task Data_that_changed_is_refused_before_anything_goes_on()
    {
        var file = _driver.File("flowers.csv", $"x,label\n{string.Concat(Enumerable.Range(0, 50).Select(i => $"{i * 7 % 50},{i % 2}\n"))}");
        var trained = await _driver.RunAsync(signal => _ = SignalAsync(signal, 0), "train", "--dataset", file, "--name", "r", "--epochs", "1000000", "--set", "training.earlyStopping=null");
        Assert.True(trained.ExitCode == 130, trained.Error);
        File.AppendAllText(file, "3,1\n");

        var outcome = await _driver.RunAsync("resume", "r");

        Assert.Equal((2, ""), (outcome.ExitCode, outcome.Out));
        Assert.StartsWith($"Dataset \"{file}\" has changed since run \"r\" began: its SHA-256 is ", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
        Assert.Equal("paused", (await _driver.RunAsync("status", "r", "--json")).Json.GetProperty("state").GetString());
    }

    public void Dispose() => _driver.Dispose();

    private async Task WhenTrainingAsync(Task<Outcome> training, string run)
    {
        while (await _driver.StepsAsync(run) == 0)
        {
            if (training.IsCompleted) Assert.Fail($"The training ended too soon: {(await training).Error}");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    private async Task SignalAsync(Interruption interruption, long after)
    {
        while (await _driver.StepsAsync("r") <= after) await Task.Delay(20, TestContext.Current.CancellationToken);
        interruption.Signal(130);
    }

    private string Metrics(string run, string member) =>
        File.ReadAllText(Path.Combine(_driver.RunsFolder, run, "members", member, "metrics.jsonl"));

    private static string Numbers(JsonElement report, string name) => report.GetProperty(name).GetRawText();
}
