using System.Diagnostics;
using DistributedEnsemble.Client.Commands;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Serving.Processes;
using Spectre.Console.Testing;

namespace DistributedEnsemble.Client.Tests.Commands;

public sealed class TimeLimitTests : IDisposable
{
    private static readonly string[] Small = ["train", "--members", "2", "--epochs", "1000000", "--set", "model.hidden=[16]", "--set", "training.batchSize=1000"];

    private readonly TestDriver _driver = new();

    [Fact]
    public async Task A_time_becomes_a_number_of_epochs_and_the_spec_alone_repeats_the_run()
    {
        var watch = Stopwatch.StartNew();
        var outcome = (await _driver.RunAsync([.. Small, "--time-limit", "8s", "--name", "timed", "--json"])).Succeeded();

        // What else runs on the machine may slow it down after its pace was measured.
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 3 * 8);
        Assert.Matches(@"^8 s allow [0-9,]+ epochs at [0-9,]+ member-steps/s on [12] lanes?: training\.epochs is [0-9]+ in place of 1000000\.\n", outcome.Error);
        var spec = (await _driver.RunAsync("spec", "timed")).Succeeded().Out;
        Assert.DoesNotContain("\"epochs\": 1000000", spec, StringComparison.Ordinal);
        var file = Path.Combine(_driver.RunsFolder, "again.json");
        File.WriteAllText(file, spec);
        var again = (await _driver.RunAsync("train", file, "--name", "again", "--json")).Succeeded();
        Assert.Equal(outcome.Json.GetProperty("weights").ToString(), again.Json.GetProperty("weights").ToString());
    }

    [Theory]
    [InlineData(60, 0.01)]
    [InlineData(60, 7)]
    [InlineData(3, 2.5)]
    [InlineData(1, 0.7)]
    public void Epochs_at_the_measured_pace_end_in_the_time_and_leave_a_tenth_of_it_and_less_than_one_more(double left, double secondsPerEpoch)
    {
        var time = TimeLimit.Epochs(TimeSpan.FromSeconds(left), new TrainingPace(1000, secondsPerEpoch, 100, 2)) * secondsPerEpoch;

        Assert.InRange(time, (0.9 * left) - secondsPerEpoch, 0.9 * left);
        Assert.True(time > 0);
    }

    [Theory]
    [InlineData("0s")]
    [InlineData("5 parsecs")]
    [InlineData("300")]
    [InlineData("-5m")]
    [InlineData("5m30")]
    [InlineData("9000h")]
    public async Task What_is_no_time_is_refused(string time)
    {
        var outcome = await _driver.RunAsync("train", "--time-limit", time);

        Assert.Equal(2, outcome.ExitCode);
        Assert.Equal($"--time-limit is {time}: it is a time above 0 and at most 365 days, such as 90s, 5m or 1h30m. Try `ensemble train --help`.\n", outcome.Error);
    }

    [Fact]
    public async Task A_time_in_which_nothing_can_be_trained_is_refused()
    {
        var outcome = await _driver.RunAsync([.. Small, "--time-limit", "1s"]);

        Assert.Equal(2, outcome.ExitCode);
        Assert.Matches(@"^--time-limit is 1 s: one epoch of all members takes about [0-9.]+ s on [12] lanes?, after what it takes to begin\. Give more time, or take fewer members\.\n$", outcome.Error);
        Assert.False(Directory.Exists(_driver.RunsFolder) && Directory.EnumerateDirectories(_driver.RunsFolder).Any());
    }

    [Fact]
    public async Task The_time_of_a_cluster_is_not_measured_here()
    {
        using TestConsole output = new(), error = new();
        error.Profile.Width = 200;
        var driver = new Driver(Wiring.Backend, new Consoles(output, error), Wiring.Failures, TimeProvider.System, () => new Interruption(_ => { }));

        Assert.Equal(2, await driver.RunAsync(["train", "--time-limit", "5m", "--cluster", "redis://127.0.0.1:1"]));
        Assert.Equal("--time-limit measures the lanes of this process, and the run is a cluster's: leave it out and give --epochs, or train without --cluster.\n", error.Output);
    }

    [Fact]
    public async Task Variants_with_epochs_of_their_own_are_refused()
    {
        var outcome = await _driver.RunAsync([.. Small, "--time-limit", "8s", "--set", """variants=[{"training":{"epochs":3}}]"""]);

        Assert.Equal(2, outcome.ExitCode);
        Assert.Equal("--time-limit chooses one number of epochs for all members, and member 0 has 3 by its variant, which is said to be and not to be cut: "
            + "leave the epochs out of the variants and the search, or the time out of the command.\n", outcome.Error);
    }

    public void Dispose() => _driver.Dispose();
}
