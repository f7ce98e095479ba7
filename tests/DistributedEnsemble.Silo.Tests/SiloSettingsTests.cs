using DistributedEnsemble.Grains.Lanes;
using DistributedEnsemble.Serving.Hosting;
using Microsoft.Extensions.Configuration;

namespace DistributedEnsemble.Silo.Tests;

public sealed class SiloSettingsTests
{
    [Theory]
    [InlineData(null, null, LanePriority.Low)]
    [InlineData(null, "http://127.0.0.1:8000", LanePriority.Idle)]
    [InlineData("low", "http://127.0.0.1:8000", LanePriority.Low)]
    [InlineData("idle", null, LanePriority.Idle)]
    public void Lanes_come_last_where_http_is_served_unless_a_priority_is_given(string? given, string? http, LanePriority priority) =>
        Assert.Equal(priority, Check(new SiloSettings { LanePriority = given, Http = http }).LanePriority);

    [Fact]
    public void A_url_among_the_settings_of_serving_serves_http_as_the_option_does()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Ensemble:Serving:Url", "http://127.0.0.1:8123")]).Build();

        var check = CheckedSettings.Of(new SiloSettings(), configuration);

        Assert.Equal((LanePriority.Idle, "http://127.0.0.1:8123"), (check.LanePriority, check.Given.Http));
        Assert.Equal("http://127.0.0.1:9000", CheckedSettings.Of(new SiloSettings { Http = "http://127.0.0.1:9000" }, configuration).Given.Http);
    }

    [Fact]
    public void A_folder_without_a_name_is_refused() => Assert.Equal(
        "--runs is empty: it takes the folder that all silos share, or, with --store, one of this silo alone.",
        Assert.Throws<SiloSettingsException>(() => Check(new SiloSettings { Runs = "" })).Message);

    [Fact]
    public void Another_priority_is_refused() => Assert.Equal(
        "--lane-priority is high: it is low or idle.",
        Assert.Throws<SiloSettingsException>(() => Check(new SiloSettings { LanePriority = "high" })).Message);

    [Theory]
    [InlineData("--lanes many", "--lanes is many: it takes a whole number.")]
    [InlineData("--lanes", "--lanes lacks its value: it takes N.")]
    [InlineData("--lanes --runs x", "--lanes is --runs: it takes a whole number.")]
    [InlineData("--lane 3", "There is no option --lane. Did you mean --lanes?")]
    [InlineData("--checkpoints 3", "There is no option --checkpoints.")]
    [InlineData("start", "\"start\" is no option.")]
    public void A_wrong_command_line_is_answered_in_one_line(string arguments, string error) =>
        Assert.Equal($"{error} `ensemble-silo --help` shows what a silo takes.", UsageError.Of(SiloCommand.Create().Parse(arguments.Split(' '))));

    private static CheckedSettings Check(SiloSettings settings) => CheckedSettings.Of(settings, new ConfigurationBuilder().Build());
}
