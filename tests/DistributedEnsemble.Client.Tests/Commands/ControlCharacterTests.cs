namespace DistributedEnsemble.Client.Tests.Commands;

/// <summary>Names and classes come from data, whoever made it, and a terminal obeys control characters.</summary>
public sealed class ControlCharacterTests : IDisposable
{
    private readonly TestDriver _driver = new();

    public void Dispose() => _driver.Dispose();

    [Fact]
    public async Task Nothing_that_a_command_says_of_a_run_steers_a_terminal()
    {
        string[] classes = ["\u001b[31mred\u0007", "\u001b]0;x\u0007", "gr\u202een"];
        var rows = string.Concat(Enumerable.Range(0, 90).Select(i => $"{i * 7 % 11}.5,{i % 3}.{i % 10},{classes[i % 3]}\n"));
        var file = _driver.File("strange.csv", $"x\u001b[31m,y\u009b,kind\n{rows}");
        string[][] commands =
        [
            ["train", "--dataset", file, "--name", "r", "--members", "2", "--epochs", "2", "--set", "model.kind=mlp"], ["evaluate", "r"], ["evaluate", "r", "--coverage", "0.8"],
            ["status", "r"], ["list"], ["watch", "r"], ["spec", "r"], ["report", "r"], ["export", "r", "--output", _driver.Place("out")], ["verify", "r", "--member", "0"], ["tensorboard", "r"],
        ];

        foreach (var command in commands)
        {
            var outcome = await _driver.RunAsync(command);
            Assert.True(outcome.ExitCode == 0, $"{command[0]}: {outcome.Error}");
            Assert.DoesNotContain(outcome.Out + outcome.Error, character => (char.IsControl(character) && character is not ('\n' or '\r')) || character == '\u202e');
        }
    }
}
