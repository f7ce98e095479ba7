using System.Text;

namespace DistributedEnsemble.Client.Tests.Processes;

/// <summary>A file that is predicted goes through the program row by row, and so do its answers.</summary>
public sealed class LongFileTests : IDisposable
{
    /// <summary>Of managed memory, hexadecimal: 64 MiB. The file and its answers have four times as much each.</summary>
    private const string HeapBytes = "4000000";

    private const int Rows = 256 * 1024, TextOfRow = 1000;

    private readonly string _folder = Directory.CreateTempSubdirectory("ensemble-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_file_of_256_MB_and_its_answers_pass_through_a_heap_of_64()
    {
        string table = Path.Combine(_folder, "table.csv"), input = Path.Combine(_folder, "input.csv"), output = Path.Combine(_folder, "output.csv");
        await File.WriteAllLinesAsync(
            table, Enumerable.Range(0, 400).Select(i => $"{i % 17},{i % 13},{(i % 17 > 8 ? "high" : "low")}").Prepend("a,b,label"), TestContext.Current.CancellationToken);
        var text = new string('n', TextOfRow);
        await File.WriteAllLinesAsync(input, Enumerable.Range(0, Rows).Select(i => $"{i % 17},{i % 13},{text}{i}").Prepend("a,b,note"), TestContext.Current.CancellationToken);
        var trained = await EnsembleProcess.RunAsync("train", "--dataset", table, "--members", "2", "--epochs", "3", "--name", "long", "--runs", _folder);
        Assert.True(trained.ExitCode == 0, trained.Error);

        using var process = EnsembleProcess.Start(
            [new("DOTNET_GCHeapHardLimit", HeapBytes)], ["predict", "long", "--input", input, "--output", output, "--runs", _folder]);
        var predicted = await process.EndAsync();

        Assert.True(predicted.ExitCode == 0, predicted.Error);
        Assert.True(new FileInfo(output).Length > (long)Rows * TextOfRow);
        using var answers = new StreamReader(output, Encoding.UTF8);
        var lines = 0;
        while (await answers.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            // Columns that the run does not know come back before the answer.
            Assert.StartsWith(lines == 0 ? "note,label," : $"{text}{lines - 1},", line);
            lines++;
        }

        Assert.Equal(Rows + 1, lines);
    }
}
