namespace DistributedEnsemble.Client.Tests.Commands;

public sealed class HelpTests : IDisposable
{
    private readonly TestDriver _driver = new();

    [Theory]
    [InlineData("train")]
    [InlineData("status")]
    [InlineData("list")]
    [InlineData("watch")]
    [InlineData("evaluate")]
    [InlineData("predict")]
    [InlineData("export")]
    [InlineData("spec")]
    [InlineData("datasets")]
    public async Task Every_command_has_help_with_an_example(string command)
    {
        var help = (await _driver.RunAsync(command, "--help")).Succeeded().Out;

        Assert.Contains($"ensemble {command}", help, StringComparison.Ordinal);
        Assert.Contains($"Examples:\n  ensemble {command}", help, StringComparison.Ordinal);
        Assert.Contains(command, (await _driver.RunAsync("--help")).Succeeded().Out, StringComparison.Ordinal);
    }

    public void Dispose() => _driver.Dispose();
}
