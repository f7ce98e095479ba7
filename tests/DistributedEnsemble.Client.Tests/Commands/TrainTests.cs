using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace DistributedEnsemble.Client.Tests.Commands;

public sealed class TrainTests : IDisposable
{
    private static readonly string[] Small = ["train", "--members", "2", "--epochs", "1", "--set", "model.hidden=[16]", "--set", "logging.everySteps=10"];

    private readonly TestDriver _driver = new();

    [Theory]
    [InlineData("train", "Loading the data …\n")]
    [InlineData("train --quiet", "")]
    public async Task The_first_line_is_there_before_anything_that_takes_long_begins(string arguments, string line)
    {
        string? before = null;
        TestDriver? driver = null;
        using var terminal = driver = new TestDriver
        {
            IsTerminal = true,
            Backend = Wiring.Backend with
            {
                StartCluster = (_, _) =>
                {
                    before = driver!.Written;
                    throw new IOException("It would take long.");
                },
            },
        };

        await driver.RunAsync(arguments.Split(' '));

        Assert.Equal(line, before);
    }

    [Fact]
    public async Task The_first_line_is_in_a_pipe_while_a_tracking_server_does_not_answer_yet()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "ensemble"), ["train", "--mlflow", $"http://{silent.LocalEndpoint}", "--runs", _driver.RunsFolder])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        try
        {
            Assert.Equal("Loading the data …", await process.StandardError.ReadLineAsync(TestContext.Current.CancellationToken));
            Assert.False(process.HasExited);
        }
        finally
        {
            process.Kill();
        }

        Assert.Equal("", await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task That_it_goes_on_is_said_beside_the_results_and_not_to_who_wants_quiet(bool isQuiet)
    {
        string[] quiet = isQuiet ? ["--quiet"] : [];

        var outcome = (await _driver.RunAsync([.. Small, "--name", "two", .. quiet])).Succeeded();

        Assert.Equal(!isQuiet, outcome.SaidAtOnce);
        Assert.DoesNotContain("Loading", outcome.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Training_tells_its_progress_the_gain_and_where_the_run_lies()
    {
        var outcome = (await _driver.RunAsync([.. Small, "--name", "two"])).Succeeded();

        Assert.StartsWith("run two: 2 members, 41 steps each\n", outcome.Out, StringComparison.Ordinal);
        Assert.Contains("member 1 completed at step 41, loss ", outcome.Out, StringComparison.Ordinal);
        Assert.Matches(@"mean member +\d+\.\d\d % +\d\.\d{4}", outcome.Out);
        Assert.Matches(@"best member \([01]\) +\d+\.\d\d % +\d\.\d{4}", outcome.Out);
        Assert.Matches(@"ensemble of 2 +\d+\.\d\d % +\d\.\d{4}", outcome.Out);
        Assert.Matches(@"gain over the mean member +[+-]?\d+\.\d\d +[+-]?\d\.\d{4}", outcome.Out);
        Assert.Contains("two completed: 82/82 steps (100 %) of 2 members in ", outcome.Out, StringComparison.Ordinal);
        Assert.EndsWith($"The run lies in {Path.Combine(_driver.RunsFolder, "two")}\n", outcome.Out, StringComparison.Ordinal);
        Assert.Equal("", outcome.Error);
    }

    [Fact]
    public async Task Json_is_one_object_of_the_documented_shape_and_progress_goes_to_standard_error()
    {
        var outcome = (await _driver.RunAsync([.. Small, "--name", "two", "--json"])).Succeeded();

        var json = outcome.Json;
        Assert.Equal("two", json.GetProperty("run").GetString());
        Assert.Equal(2, json.GetProperty("members").GetInt32());
        Assert.Equal(2, json.GetProperty("constituents").GetInt32());
        foreach (var single in new[] { "mean", "best" })
        {
            Assert.InRange(json.GetProperty("single").GetProperty(single).GetProperty("accuracy").GetDouble(), 0, 1);
            Assert.InRange(json.GetProperty("single").GetProperty(single).GetProperty("nll").GetDouble(), 0, 100);
        }

        foreach (var metric in new[] { "accuracy", "nll", "brier", "ece" })
            Assert.InRange(json.GetProperty("ensemble").GetProperty(metric).GetDouble(), 0, 100);
        Assert.Equal(82, json.GetProperty("steps").GetInt64());
        Assert.True(json.GetProperty("trainSeconds").GetDouble() > 0);
        Assert.True(json.GetProperty("memberStepsPerSecond").GetDouble() > 0);
        Assert.Equal([(0, 41), (1, 41)], json.GetProperty("weights").EnumerateArray().Select(Identity));
        Assert.All(json.GetProperty("weights").EnumerateArray(), weight => Assert.Matches("^[0-9a-f]{64}$", weight.GetProperty("sha256").GetString()!));
        Assert.StartsWith("run two: 2 members, 41 steps each\n", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_finished_run_is_read_by_later_commands_from_its_files()
    {
        (await _driver.RunAsync([.. Small, "--name", "two"])).Succeeded();

        var status = (await _driver.RunAsync("status", "two", "--json")).Succeeded().Json;
        var list = (await _driver.RunAsync("list", "--json")).Succeeded().Json;
        var evaluation = (await _driver.RunAsync("evaluate", "two", "--members", "1", "--json")).Succeeded().Json;
        var table = (await _driver.RunAsync("status", "two")).Succeeded().Out;

        Assert.Equal("completed", status.GetProperty("state").GetString());
        Assert.Equal(82, status.GetProperty("stepsTotal").GetInt64());
        Assert.Equal(File.ReadAllText(Path.Combine(_driver.RunsFolder, "two", "run.json")).TrimEnd(), status.GetRawText());
        Assert.Equal("two", list.GetProperty("runs")[0].GetProperty("run").GetString());
        Assert.Equal(1, evaluation.GetProperty("constituents").GetInt32());
        Assert.StartsWith("two completed: 82/82 steps (100 %) of 2 members in ", table, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_name_a_run_takes_its_datasets_and_the_first_free_number()
    {
        var first = (await _driver.RunAsync([.. Small, "--json"])).Succeeded().Json;
        var second = (await _driver.RunAsync([.. Small, "--json"])).Succeeded().Json;

        Assert.Equal(("digits-1", "digits-2"), (first.GetProperty("run").GetString(), second.GetProperty("run").GetString()));
        Assert.Equal(first.GetProperty("weights").GetRawText(), second.GetProperty("weights").GetRawText());
    }

    [Fact]
    public async Task Later_settings_count_and_flags_override_the_file()
    {
        var spec = _driver.File("spec.json", """{ "name": "file", "members": 5, "training": { "epochs": 3 } /* short */ }""");

        var outcome = await _driver.RunAsync(
            "train", spec, "--set", "members=4", "--members", "2", "--set", "training.epochs=2", "--epochs", "1", "--set", "model.hidden=[8]");

        Assert.StartsWith("run file: 2 members, 41 steps each\n", outcome.Succeeded().Out, StringComparison.Ordinal);
    }

    public void Dispose() => _driver.Dispose();

    private static (int Member, int Step) Identity(JsonElement weight) => (weight.GetProperty("member").GetInt32(), weight.GetProperty("step").GetInt32());
}
