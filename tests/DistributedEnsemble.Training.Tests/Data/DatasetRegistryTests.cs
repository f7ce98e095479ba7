using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Tables;

namespace DistributedEnsemble.Training.Tests.Data;

public class DatasetRegistryTests
{
    private readonly DatasetRegistry _registry = new();

    [Fact]
    public void A_name_means_a_registered_dataset_or_a_csv_file()
    {
        Assert.IsType<Digits>(_registry.Resolve("digits"));
        Assert.Equal("iris.csv", Assert.IsType<TableSource>(_registry.Resolve("some/iris.csv")).Name);
        Assert.Equal(["digits", "fashion-mnist", "two-moons"], _registry.Sources.Select(source => source.Name));
    }

    [Fact]
    public void A_registered_name_is_never_a_path()
    {
        Assert.False(_registry.TryFind("iris.csv", out _));
        Assert.True(_registry.TryFind("two-moons", out _));
    }

    [Fact]
    public void An_unknown_name_brings_the_nearest_one()
    {
        var error = Assert.Throws<DataException>(() => _registry.Resolve("fashon-mnist"));
        Assert.Equal(
            "There is no dataset \"fashon-mnist\". Did you mean \"fashion-mnist\"? "
            + "Known are digits, fashion-mnist, two-moons, the path of any table (x.csv), and a folder of images.",
            error.Message);
    }

    [Fact]
    public void A_host_can_add_datasets_under_new_names()
    {
        var mine = new TableSource("upload", "mine");
        Assert.Same(mine, new DatasetRegistry(mine).Resolve("mine"));
        Assert.Throws<ArgumentException>(() => new DatasetRegistry(new TableSource("x.csv", "digits")));
    }

    [Fact]
    public void Every_default_is_a_fragment_of_a_spec()
    {
        foreach (var source in _registry.Sources.Append(_registry.Resolve("x.csv")))
        {
            Assert.NotNull(source.Defaults["model"]!["kind"]);
            Assert.NotSame(source.Defaults, source.Defaults);
        }
    }
}
