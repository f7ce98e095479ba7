using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Serving.Hosting;
using Microsoft.Extensions.Configuration;

namespace DistributedEnsemble.Serving.Tests.Hosting;

public sealed class LimitSettingsTests
{
    [Fact]
    public void A_limit_is_a_setting_and_the_others_keep_their_defaults() => Assert.Equal(
        new Limits { MaxUploadBytes = 1000, UploadExpiry = TimeSpan.FromMinutes(5) },
        Read(("MaxUploadBytes", "1000"), ("UploadExpiry", "00:05:00")));

    [Theory]
    [InlineData("MaxColumns", "0", "ENSEMBLE__LIMITS__MAXCOLUMNS is 0: it must be a whole number from 1.")]
    [InlineData("MaxUnfinishedRuns", "-3", "ENSEMBLE__LIMITS__MAXUNFINISHEDRUNS is -3: it must be a whole number from 1.")]
    [InlineData("UploadExpiry", "00:00:00", "ENSEMBLE__LIMITS__UPLOADEXPIRY is 00:00:00: it must be a time from 00:00:01 to 365.00:00:00, as in 01:00:00.")]
    public void A_limit_out_of_range_is_named_with_its_rule(string name, string value, string line) =>
        Assert.Equal(line, Assert.Throws<SiloSettingsException>(() => Read((name, value))).Message);

    [Theory]
    [InlineData("MaxRuns", "many", "ENSEMBLE__LIMITS__MAXRUNS is many: it takes a whole number.")]
    [InlineData("MaxUploadBytes", "4 GiB", "ENSEMBLE__LIMITS__MAXUPLOADBYTES is 4 GiB: it takes a whole number.")]
    [InlineData("UploadExpiry", "1h", "ENSEMBLE__LIMITS__UPLOADEXPIRY is 1h: it takes a time, as in 00:00:05.")]
    public void A_limit_that_cannot_be_read_is_named_with_what_it_takes(string name, string value, string line) =>
        Assert.Equal(line, Assert.Throws<SiloSettingsException>(() => Read((name, value))).Message);

    [Fact]
    public void Every_limit_is_documented()
    {
        var page = File.ReadAllText(Repository.File("docs/operations.md"));
        Assert.All(typeof(Limits).GetProperties(), limit => Assert.Contains($"| `{Limits.Name(limit.Name)}` |", page));
    }

    private static Limits Read(params IEnumerable<(string Name, string Value)> settings)
    {
        var options = new EnsembleTrainingOptions();
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create($"Ensemble:Limits:{setting.Name}", (string?)setting.Value))).Build()
            .ReadTraining()(options);
        return options.Limits;
    }
}
