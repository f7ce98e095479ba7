using System.Text.Json;

namespace DistributedEnsemble.Client.Tests.Commands;

/// <summary>The life of a run as several terminals see it.</summary>
public sealed class LifeTests : IDisposable
{
    private static readonly string[] Spec =
        ["train", "--members", "3", "--set", "training.epochs=300", "--set", "model.hidden=[24]", "--set", "regularization.dropout.rate=0.2",
            "--set", "snapshots.perMember=2", "--set", "logging.everySteps=99"];

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
        Assert.Matches(@"^Run ""disturbed"" is paused at step [\d,]+ of 36,900: stopped\nGo on with: ensemble resume disturbed", stopped.Error);
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

    public void Dispose() => _driver.Dispose();

    private async Task WhenTrainingAsync(Task<Outcome> training, string run)
    {
        while (await StepsAsync() == 0)
        {
            if (training.IsCompleted) Assert.Fail($"The training ended too soon: {(await training).Error}");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        async Task<long> StepsAsync()
        {
            var status = await _driver.RunAsync("status", run, "--json");
            return status.ExitCode == 0 ? status.Json.GetProperty("steps").GetInt64() : 0;
        }
    }

    private string Metrics(string run, string member) =>
        File.ReadAllText(Path.Combine(_driver.RunsFolder, run, "members", member, "metrics.jsonl"));

    private static string Numbers(JsonElement report, string name) => report.GetProperty(name).GetRawText();
}
