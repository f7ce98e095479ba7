using System.Runtime.InteropServices;
using System.Text.Json;

namespace DistributedEnsemble.Serving.Tests;

/// <summary>Clients of other makers.</summary>
public sealed class ClientTests(ServedRuns served) : IClassFixture<ServedRuns>
{
    [Fact]
    public async Task Curl_gets_an_answer()
    {
        var row = ServedRuns.Rows(1);
        var body = $$"""{"inputs":[{"name":"input","shape":[1,1,8,8],"datatype":"FP32","data":[{{string.Join(',', row)}}]}]}""";

        Programs.SkipUnlessInstalled("curl");
        var (output, _) = await Programs.RunAsync("curl", "--silent", "--show-error", "--fail", $"{served.Url}/v2/models/small/infer", "--data", body);

        var probabilities = JsonElement.Parse(output).GetProperty("outputs")[0].GetProperty("data").EnumerateArray().Select(p => p.GetSingle());
        Assert.Equal((await served.PredictAsync(row))["probabilities"].Numbers, probabilities);
    }

    [Theory]
    [InlineData("json")]
    [InlineData("binary")]
    public async Task Pythons_standard_library_and_numpy_get_an_answer(string form)
    {
        await Programs.SkipUnlessPythonHasAsync(form == "binary" ? "numpy" : "json");
        var rows = ServedRuns.Rows(5);
        var file = Path.Combine(served.RunsFolder, $"rows-{form}.bin");
        await File.WriteAllBytesAsync(file, MemoryMarshal.AsBytes(rows.AsSpan()).ToArray(), TestContext.Current.CancellationToken);

        var (text, _) = await Programs.RunAsync(
            Programs.Python, Path.Combine(AppContext.BaseDirectory, "Clients", "infer.py"), served.Url, "small", form, file);
        var output = JsonElement.Parse(text);

        var expected = await served.PredictAsync(rows);
        Assert.Equal(expected["label"].Texts, output.GetProperty("label").EnumerateArray().Select(label => label.GetString()));
        Assert.Equal(expected["probabilities"].Numbers, output.GetProperty("probabilities").EnumerateArray().Select(p => p.GetSingle()));
    }
}
