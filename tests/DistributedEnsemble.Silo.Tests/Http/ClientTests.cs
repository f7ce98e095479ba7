using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace DistributedEnsemble.Silo.Tests.Http;

/// <summary>Clients of other makers.</summary>
public sealed class ClientTests(ServedRuns served) : IClassFixture<ServedRuns>
{
    [Fact]
    public async Task Curl_gets_an_answer()
    {
        var row = ServedRuns.Rows(1);
        var body = $$"""{"inputs":[{"name":"input","shape":[1,1,8,8],"datatype":"FP32","data":[{{string.Join(',', row)}}]}]}""";

        var output = await RunAsync("curl", "--silent", "--show-error", "--fail", $"{served.Url}/v2/models/small/infer", "--data", body);

        var probabilities = JsonElement.Parse(output).GetProperty("outputs")[0].GetProperty("data").EnumerateArray().Select(p => p.GetSingle());
        Assert.Equal((await served.PredictAsync(row))["probabilities"].Numbers, probabilities);
    }

    [Theory]
    [InlineData("json")]
    [InlineData("binary")]
    public async Task Pythons_standard_library_and_numpy_get_an_answer(string form)
    {
        const string Python = "/usr/bin/python3";
        if (form == "binary" && !await HasNumpyAsync()) Assert.Skip($"{Python} has no numpy (Debian: python3-numpy).");
        var rows = ServedRuns.Rows(5);
        var file = Path.Combine(served.RunsFolder, $"rows-{form}.bin");
        await File.WriteAllBytesAsync(file, MemoryMarshal.AsBytes(rows.AsSpan()).ToArray(), TestContext.Current.CancellationToken);

        var output = JsonElement.Parse(await RunAsync(
            Python, Path.Combine(AppContext.BaseDirectory, "Http", "Clients", "infer.py"), served.Url, "small", form, file));

        var expected = await served.PredictAsync(rows);
        Assert.Equal(expected["label"].Texts, output.GetProperty("label").EnumerateArray().Select(label => label.GetString()));
        Assert.Equal(expected["probabilities"].Numbers, output.GetProperty("probabilities").EnumerateArray().Select(p => p.GetSingle()));

        static async Task<bool> HasNumpyAsync() => (await StartAsync(Python, "-c", "import numpy")).ExitCode == 0;
    }

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        var (exitCode, output, error) = await StartAsync(program, arguments);
        Assert.True(exitCode == 0, $"{program} ended with {exitCode}: {error}");
        return output;
    }

    private static async Task<(int ExitCode, string Output, string Error)> StartAsync(string program, params string[] arguments)
    {
        if (!File.Exists(program) && !File.Exists($"/usr/bin/{program}")) Assert.Skip($"{program} is not installed.");
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, output, await error);
    }
}
