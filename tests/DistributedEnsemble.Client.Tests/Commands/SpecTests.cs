using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Client.Tests.Commands;

public sealed class SpecTests : IDisposable
{
    private readonly TestDriver _driver = new();

    [Fact]
    public async Task The_documentation_of_the_spec_is_what_the_program_prints()
    {
        var printed = (await _driver.RunAsync("spec", "--markdown")).Succeeded().Out;

        var documented = File.ReadAllText(Repository.File("docs", "spec.md"));
        Assert.True(printed == documented, "docs/spec.md is out of date: write it anew with `ensemble spec --markdown > docs/spec.md`.");
    }

    [Fact]
    public async Task Every_key_is_told_with_its_values_default_and_meaning()
    {
        var text = (await _driver.RunAsync("spec")).Succeeded().Out;
        var json = (await _driver.RunAsync("spec", "--json")).Succeeded().Json.GetProperty("keys").EnumerateArray().ToList();

        Assert.Equal(SpecSchema.Keys.Select(key => key.Path), json.Select(key => key.GetProperty("key").GetString()));
        Assert.All(SpecSchema.Keys, key => Assert.Contains($"{key.Path}\n    {key.Description}", text, StringComparison.Ordinal));
        Assert.Contains("averaging.decay\n    d per step; 1 is the uniform average.\n    number in (0, 1]; default off; 0.999 once on\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_printed_spec_of_a_run_makes_the_same_run_again()
    {
        (await _driver.RunAsync("train", "--name", "first", "--members", "1", "--epochs", "1", "--set", "model.hidden=[8]")).Succeeded();
        var spec = _driver.File("again.json", (await _driver.RunAsync("spec", "first")).Succeeded().Out);

        var first = (await _driver.RunAsync("evaluate", "first", "--json")).Succeeded().Json;
        var again = (await _driver.RunAsync("train", spec, "--name", "again", "--json")).Succeeded().Json;

        Assert.Equal(first.GetProperty("weights").GetRawText(), again.GetProperty("weights").GetRawText());
    }

    public void Dispose() => _driver.Dispose();
}
