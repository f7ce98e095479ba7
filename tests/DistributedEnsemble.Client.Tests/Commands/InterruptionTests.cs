using DistributedEnsemble.Serving.Processes;
using DistributedEnsemble.Training.Files;

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

    [Theory]
    [InlineData("list", "Stopped before all runs were read.")]
    [InlineData("status r", "Stopped before the run was read.")]
    [InlineData("watch r", "Stopped before the run was read.")]
    [InlineData("stop r", "Stopped before the run had: `ensemble status r")]
    [InlineData("delete r --yes", "Stopped before run \"r\" was gone for certain: `ensemble list")]
    [InlineData("evaluate r", "Stopped before all was measured: nothing has changed.")]
    [InlineData("predict r --input FILE", "Stopped before all rows were predicted: those above are not all.")]
    [InlineData("predict r --out-of-fold --output rows.csv", "Stopped before all rows were predicted: rows.csv is as it was.")]
    [InlineData("export r --output exported", "Stopped before all was written: nothing is left of it.")]
    [InlineData("export r --format onnx", "Stopped before all was written: nothing is left of it.")]
    [InlineData("verify r", "Stopped before all was compared: nothing is proven.")]
    [InlineData("verify r --key FILE", "Stopped before all was compared: nothing is proven.")]
    [InlineData("sign r --key FILE", "Stopped before the run was signed.")]
    [InlineData("spec r", "Stopped before the spec was read.")]
    [InlineData("report r", "Stopped before the page was written.")]
    [InlineData("tensorboard r", "Stopped before all was written.")]
    [InlineData("serve r", "Stopped before anything was served.")]
    public async Task A_signal_ends_every_command_while_a_store_says_nothing(string command, string line)
    {
        using var end = new ManualResetEventSlim();
        var asks = new TaskCompletionSource();
        using var driver = new TestDriver
        {
            Backend = Wiring.Backend with
            {
                OpenCatalog = _ =>
                {
                    asks.TrySetResult();
                    end.Wait(TestContext.Current.CancellationToken);
                    throw new IOException("The store does not answer.");
                },
            },
        };
        var file = driver.File("rows.csv", "a\n1\n");

        var outcome = await driver.RunAsync(interruption => _ = SignalAsync(interruption), command.Replace("FILE", file).Split(' '));
        end.Set();

        Assert.Equal((130, ""), (outcome.ExitCode, outcome.Out));
        Assert.StartsWith(line, Assert.Single(outcome.ErrorLines));

        async Task SignalAsync(Interruption interruption)
        {
            await asks.Task;
            interruption.Signal(130);
        }
    }

    [Theory]
    [InlineData("safetensors", "exported")]
    [InlineData("onnx", "exported.onnx")]
    public async Task Nothing_is_left_of_an_export_that_hangs(string format, string output)
    {
        (await _driver.RunAsync("train", "--name", "r", "--members", "1", "--epochs", "1", "--set", "model.hidden=[8]")).Succeeded();
        var folder = Directory.CreateDirectory(_driver.Place("exports")).FullName;
        using var end = new ManualResetEventSlim();
        Interruption? asked = null;
        using var disk = FileOperations.Observe(folder, (operation, _) =>
        {
            if (operation != "flush") return;
            asked!.Signal(130);
            end.Wait(TestContext.Current.CancellationToken);
        });

        var outcome = await _driver.RunAsync(interruption => asked = interruption, "export", "r", "--format", format, "--output", Path.Combine(folder, output));

        Assert.Equal((130, "Stopped before all was written: nothing is left of it."), (outcome.ExitCode, outcome.Error.Trim()));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
        end.Set();
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
