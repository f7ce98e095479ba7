using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Client.Tests.Rendering;

public sealed class SparklineTests
{
    [Fact]
    public void It_falls_as_the_numbers_do()
    {
        var line = new Sparkline(8);
        for (var i = 8; i >= 1; i--) line.Add(i);

        Assert.Equal("█▇▆▅▄▃▂▁", $"{line}");
    }

    [Theory]
    [InlineData(0), InlineData(1)]
    public void A_single_number_is_no_line(int count)
    {
        var line = new Sparkline(8);
        for (var i = 0; i < count; i++) line.Add(1);
        line.Add(null);
        line.Add(double.NaN);

        Assert.Equal("", $"{line}");
    }

    [Fact]
    public void However_many_numbers_there_are_it_is_as_wide()
    {
        var line = new Sparkline(5);
        for (var i = 0; i < 100_000; i++) line.Add(i);

        var drawn = $"{line}";
        Assert.Equal((5, '▁', '█'), (drawn.Length, drawn[0], drawn[^1]));
        Assert.Equal(string.Concat(drawn.Order()), drawn);
    }

    [Fact]
    public void Members_are_called_by_their_settings_where_these_differ()
    {
        var plain = MemberNames.Of(EnsembleSpec.FromJson("""{ "name": "r", "members": 4, "data": { "dataset": "digits" } }"""));
        var varied = MemberNames.Of(EnsembleSpec.FromJson(
            """{ "name": "r", "members": 4, "data": { "dataset": "digits" }, "variants": [ { "training": { "batchSize": 16 } }, { "model": { "kind": "mlp", "hidden": [64, 64] } } ] }"""));

        Assert.Equal("3", plain[3]);
        Assert.Equal(["0 hidden=[128] batchSize=16", "1 hidden=[64,64] batchSize=128", "2 hidden=[128] batchSize=16"], [varied[0], varied[1], varied[2]]);
    }
}
