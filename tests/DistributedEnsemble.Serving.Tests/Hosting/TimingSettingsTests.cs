using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Serving.Hosting;
using Microsoft.Extensions.Configuration;

namespace DistributedEnsemble.Serving.Tests.Hosting;

public sealed class TimingSettingsTests
{
    [Fact]
    public void A_time_is_a_setting_and_the_others_keep_their_defaults() =>
        Assert.Equal(new TimingOptions { Patience = TimeSpan.FromSeconds(40) }, Read(("Patience", "00:00:40")));

    [Theory]
    [InlineData("Probe", "00:00:30", "ENSEMBLE__TIMING__PROBE is 00:00:30: it must be shorter than ENSEMBLE__TIMING__SILENCE, which is 00:00:15, so that a silo is called dead before it counts as silent.")]
    [InlineData("Silence", "00:00:20", "ENSEMBLE__TIMING__SILENCE is 00:00:20: it must be shorter than ENSEMBLE__TIMING__PATIENCE, which is 00:00:20, so that a member is given to a silo that speaks.")]
    [InlineData("Fence", "00:00:05", "ENSEMBLE__TIMING__FENCE is 00:00:05: it must be shorter than ENSEMBLE__TIMING__TRUST, which is 00:00:03, so that a coordinator is confirmed before it is doubted.")]
    [InlineData("Move", "00:00:00", "ENSEMBLE__TIMING__MOVE is 00:00:00: it must be a time from 00:00:00.1 to 01:00:00, as in 00:00:05.")]
    public void A_time_that_does_not_fit_the_others_is_named_with_its_rule(string name, string value, string line) =>
        Assert.Equal(line, Assert.Throws<SiloSettingsException>(() => Read((name, value))).Message);

    [Fact]
    public void Every_time_is_documented()
    {
        var page = File.ReadAllText(Repository.File("docs/operations.md"));
        Assert.All(typeof(TimingOptions).GetProperties(), time => Assert.Contains($"| `{TimingOptions.Name(time.Name)}` |", page));
    }

    private static TimingOptions Read(params IEnumerable<(string Name, string Value)> settings)
    {
        var options = new EnsembleTrainingOptions();
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create($"Ensemble:Timing:{setting.Name}", (string?)setting.Value))).Build()
            .ReadTraining()(options);
        return options.Timing;
    }
}
