using DistributedEnsemble.Silo;

namespace DistributedEnsemble.Client.Tests.Commands;

public sealed class InterruptionTests : IDisposable
{
    private static readonly string[] Endless =
        ["train", "--name", "long", "--members", "2", "--epochs", "100000", "--set", "model.hidden=[16]", "--set", "checkpoints.everySeconds=86400"];

    private readonly TestDriver _driver = new();

    [Theory]
    [InlineData(130)]
    [InlineData(143)]
    [InlineData(129)]
    public async Task The_first_signal_commits_what_was_trained_and_says_how_to_go_on(int exitCode)
    {
        var outcome = await _driver.RunAsync(interruption => _ = SignalAfterStepsAsync(interruption, exitCode), Endless);

        Assert.Equal(exitCode, outcome.ExitCode);
        Assert.Empty(_driver.Exits);
        Assert.Matches(@"^Run ""long"" is paused at step [\d,]+ of 8,200,000: stopped\n", outcome.Error);
        Assert.Equal($"Go on with: ensemble resume long --runs {_driver.RunsFolder}", outcome.ErrorLines[^1]);
        var members = (await _driver.RunAsync("status", "long", "--json")).Succeeded().Json.GetProperty("members").EnumerateArray().ToList();
        Assert.Contains(members, member => member.GetProperty("step").GetInt32() > 0);
        Assert.All(members, member => Assert.Equal("waiting", member.GetProperty("state").GetString()));
    }

    [Fact]
    public async Task The_result_of_an_interrupted_run_is_still_one_json_object()
    {
        var outcome = await _driver.RunAsync(interruption => _ = SignalAfterStepsAsync(interruption, 130), [.. Endless, "--json"]);

        Assert.Equal("paused", outcome.Json.GetProperty("state").GetString());
        Assert.Equal("stopped", outcome.Json.GetProperty("reason").GetString());
        Assert.Equal(0, outcome.Json.GetProperty("constituents").GetInt32());
    }

    [Fact]
    public void A_second_signal_ends_the_process_at_once_with_its_own_code()
    {
        var exits = new List<int>();
        using var interruption = new Interruption(exits.Add);

        interruption.Signal(130);
        Assert.True(interruption.IsAsked);
        Assert.Empty(exits);

        interruption.Signal(143);
        Assert.Equal([143], exits);
        Assert.Equal(130, interruption.ExitCode);
    }

    [Fact]
    public void A_signal_that_comes_while_the_process_ends_is_no_error()
    {
        var interruption = new Interruption(_ => { });
        var token = interruption.Token;

        interruption.Dispose();
        interruption.Signal(143);

        Assert.Equal((143, true), (interruption.ExitCode, token.IsCancellationRequested));
    }

    public void Dispose() => _driver.Dispose();

    private async Task SignalAfterStepsAsync(Interruption interruption, int exitCode)
    {
        while (await _driver.StepsAsync("long") == 0) await Task.Delay(20, TestContext.Current.CancellationToken);
        interruption.Signal(exitCode);
    }
}
