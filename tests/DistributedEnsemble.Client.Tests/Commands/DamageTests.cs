namespace DistributedEnsemble.Client.Tests.Commands;

/// <summary>Files of a run that are not what was written: the command names the file and fails with exit code 1.</summary>
public sealed class DamageTests : IDisposable
{
    private readonly TestDriver _driver = new();

    [Theory]
    [InlineData("run.json", "", "it is not the JSON of a run's status (line 1, at $)")]
    [InlineData("spec.json", "[1]", "The spec is [1]: it must be a section in braces")]
    [InlineData("data.json", "{}", "it is not the JSON of a data description (line 1, at $)")]
    [InlineData("members/00/snapshots/step-00000041.safetensors", "", "0 bytes are too few for a header")]
    public async Task A_damaged_file_is_named_with_what_is_wrong(string file, string contents, string fault)
    {
        await TrainAsync("r");
        var path = Path.Combine(_driver.RunsFolder, "r", file);
        File.WriteAllText(path, contents);

        (await _driver.RunAsync("evaluate", "r")).Refused(1, $"{path} is damaged: {fault}.");
        (await _driver.RunAsync("predict", "r", "--input", Rows())).Refused(1, $"{path} is damaged: {fault}.");
    }

    [Theory]
    [InlineData("spec.json")]
    [InlineData("data.json")]
    public async Task A_missing_file_is_named(string file)
    {
        await TrainAsync("r");
        var path = Path.Combine(_driver.RunsFolder, "r", file);
        File.Delete(path);

        (await _driver.RunAsync("evaluate", "r")).Refused(1, $"{path} is missing: it belongs to the run, and nothing can be done without it.");
    }

    [Fact]
    public async Task One_damaged_run_does_not_hide_the_others()
    {
        await TrainAsync("good");
        await TrainAsync("bad");
        var path = Path.Combine(_driver.RunsFolder, "bad", "run.json");
        File.WriteAllText(path, "null");

        var outcome = await _driver.RunAsync("list");

        Assert.Equal((1, $"{path} is damaged: it is not the JSON of a run's status (line 1, at $).\n"), (outcome.ExitCode, outcome.Error));
        Assert.Contains("good", outcome.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("bad", outcome.Out, StringComparison.Ordinal);
    }

    public void Dispose() => _driver.Dispose();

    private async Task TrainAsync(string name) =>
        (await _driver.RunAsync("train", "--name", name, "--members", "1", "--epochs", "1", "--set", "model.hidden=[8]")).Succeeded();

    private string Rows() => _driver.File("rows.csv", $"{string.Join(',', Enumerable.Range(0, 64).Select(i => $"pixel{i}"))}\n");
}
