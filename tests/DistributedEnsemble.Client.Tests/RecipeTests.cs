using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Client.Tests;

public sealed class RecipeTests
{
    private static readonly DatasetRegistry s_datasets = new();

    public static IEnumerable<TheoryDataRow<string, string>> Recipes =>
        from file in Directory.EnumerateFiles(Repository.File("recipes"), "*.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
        select new TheoryDataRow<string, string>(Path.GetFileName(Path.GetDirectoryName(file))!, Path.GetFileNameWithoutExtension(file));

    [Theory]
    [MemberData(nameof(Recipes))]
    public void Every_recipe_is_a_spec_of_its_dataset_that_can_be_trained(string dataset, string name)
    {
        var text = File.ReadAllText(Repository.File("recipes", dataset, $"{name}.json"));
        var document = SpecDocument.Parse(text);
        var source = s_datasets.Resolve(document.Dataset);
        var spec = document.Resolve(source.Defaults);
        long[] shape = dataset == "digits" ? [1, 8, 8] : [1, 28, 28];

        var network = new NetworkRegistry().Build(spec, shape, outputs: 10);

        Assert.Equal(dataset, source.Name);
        Assert.EndsWith($"-{name}", spec.Name, StringComparison.Ordinal);
        Assert.Contains($"ensemble train recipes/{dataset}/{name}.json", text, StringComparison.Ordinal);
        Assert.True(network.Layout.ParameterCount > 0);
    }

    [Fact]
    public void Every_technique_has_a_recipe_for_each_dataset()
    {
        string[] techniques =
        [
            "cyclic-snapshots", "dropout-inverted", "dropout-vanilla", "everything", "independent", "l2", "lenet", "monte-carlo", "polyak",
            "resnet", "snapshots", "weight-decay",
        ];

        Assert.Equal(
            from dataset in new[] { "digits", "fashion-mnist" } from technique in techniques select (dataset, technique),
            Recipes.Select(row => row.Data));
    }

    [Fact]
    public async Task A_recipe_trains_and_is_evaluated_as_it_says()
    {
        using var driver = new TestDriver();

        var json = (await driver.RunAsync(
            "train", Repository.File("recipes", "digits", "everything.json"), "--epochs", "3", "--members", "3", "--json")).Succeeded().Json;

        Assert.Equal("digits-everything", json.GetProperty("run").GetString());
        Assert.InRange(json.GetProperty("ensemble").GetProperty("accuracy").GetDouble(), 0.5, 1);
        Assert.True(json.GetProperty("calibrated").GetProperty("temperature").GetDouble() > 0);
        Assert.Equal(
            json.GetProperty("constituents").GetInt32(), json.GetProperty("weights").EnumerateArray().Count());
    }
}
