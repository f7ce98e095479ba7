namespace DistributedEnsemble.Client.Tests.Commands;

/// <summary>Training on a file that the user brings, and finding it again.</summary>
public sealed class CsvTests : IDisposable
{
    private readonly TestDriver _driver = new();

    [Fact]
    public async Task A_run_is_named_after_its_file_and_finds_it_from_anywhere()
    {
        var file = Flowers();
        var relative = Path.GetRelativePath(Directory.GetCurrentDirectory(), file);

        var run = (await _driver.RunAsync("train", "--dataset", relative, "--members", "1", "--epochs", "2", "--json")).Succeeded().Json;

        Assert.Equal("flowers-1", run.GetProperty("run").GetString());
        Assert.Contains($"\"dataset\": \"{file}\"", File.ReadAllText(Path.Combine(_driver.RunsFolder, "flowers-1", "spec.json")), StringComparison.Ordinal);
        (await _driver.RunAsync("evaluate", "flowers-1")).Succeeded();
    }

    [Fact]
    public async Task A_relative_name_is_also_looked_for_in_the_data_folder()
    {
        var file = Flowers();
        (await _driver.RunAsync("train", "--dataset", "flowers.csv", "--data", Path.GetDirectoryName(file)!, "--members", "1", "--epochs", "2")).Succeeded();
        (await _driver.RunAsync("evaluate", "flowers-1")).Succeeded();
    }

    [Fact]
    public async Task A_file_that_moved_is_found_with_the_data_folder()
    {
        var file = Flowers();
        (await _driver.RunAsync("train", "--dataset", file, "--members", "1", "--epochs", "2")).Succeeded();
        Directory.CreateDirectory(_driver.Place("elsewhere"));
        File.Move(file, Path.Combine(_driver.Place("elsewhere"), "flowers.csv"));

        (await _driver.RunAsync("evaluate", "flowers-1")).Refused(2,
            $"{file} was not found: looked for {file}. If it lies in another folder DIR, add --data DIR.");
        (await _driver.RunAsync("evaluate", "flowers-1", "--data", _driver.Place("elsewhere"))).Succeeded();
    }

    [Fact]
    public async Task A_file_that_changed_is_refused()
    {
        var file = Flowers();
        (await _driver.RunAsync("train", "--dataset", file, "--members", "1", "--epochs", "2")).Succeeded();
        File.AppendAllText(file, "1,2,small\n");

        var outcome = await _driver.RunAsync("evaluate", "flowers-1");

        Assert.Equal(2, outcome.ExitCode);
        Assert.StartsWith($"Dataset \"{file}\" has changed since run \"flowers-1\" began: its SHA-256 is ", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
    }

    public void Dispose() => _driver.Dispose();

    private string Flowers() => _driver.File(
        "flowers.csv", $"width,height,name\n{string.Concat(Enumerable.Range(0, 60).Select(i => $"{i % 7 - (i % 2 * 10)},{i % 5},{(i % 2 == 0 ? "big" : "small")}\n"))}");
}
