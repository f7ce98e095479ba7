using DistributedEnsemble.Client.Rendering;
using Spectre.Console.Testing;

namespace DistributedEnsemble.Client.Tests.Commands;

public sealed class HelpTests : IDisposable
{
    private readonly TestDriver _driver = new();

    [Theory]
    [InlineData("inspect")]
    [InlineData("train")]
    [InlineData("status")]
    [InlineData("list")]
    [InlineData("watch")]
    [InlineData("stop")]
    [InlineData("resume")]
    [InlineData("delete")]
    [InlineData("evaluate")]
    [InlineData("predict")]
    [InlineData("serve")]
    [InlineData("export")]
    [InlineData("distill")]
    [InlineData("spec")]
    [InlineData("datasets")]
    [InlineData("completion")]
    public async Task Every_command_has_help_with_an_example(string command)
    {
        var help = (await _driver.RunAsync(command, "--help")).Succeeded().Out;

        Assert.Contains($"ensemble {command}", help, StringComparison.Ordinal);
        Assert.Contains($"Examples:\n  ensemble {command}", help, StringComparison.Ordinal);
        Assert.Contains(command, (await _driver.RunAsync("--help")).Succeeded().Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_program_alone_helps_and_lists_its_exit_codes()
    {
        using TestConsole output = new(), error = new();
        var driver = new Driver(Wiring.Backend, new Consoles(output, error), Wiring.Failures, TimeProvider.System, () => throw new InvalidOperationException());

        Assert.Equal(0, await driver.RunAsync([]));

        Assert.StartsWith("Description:\n  Trains ensembles", output.Output, StringComparison.Ordinal);
        Assert.Contains("Exit codes:\n  0 done; 1 failed; 2 wrong usage, spec or data; 3 cluster unreachable;\n", output.Output, StringComparison.Ordinal);
    }

    public void Dispose() => _driver.Dispose();
}
