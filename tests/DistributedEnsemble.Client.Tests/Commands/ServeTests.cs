using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using DistributedEnsemble.Grains.Lanes;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving.Processes;

namespace DistributedEnsemble.Client.Tests.Commands;

/// <summary>serve, and predict as its client.</summary>
public sealed class ServeTests : IDisposable
{
    private readonly TestDriver _driver = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory, InlineData("mlp"), InlineData("tabm")]
    public async Task A_served_run_predicts_over_http_what_the_folder_predicts(string kind)
    {
        await TrainAsync(kind);
        var rows = _driver.File("rows.csv", $"{string.Join(',', Enumerable.Range(0, 64).Select(i => $"pixel{i}"))}\n{string.Join(',', Enumerable.Range(0, 64).Select(i => i % 17))}\n");
        var here = (await _driver.RunAsync("predict", "small", "--input", rows, "--members", "1")).Succeeded();

        var url = "";
        var (served, there) = await ServingAsync(at => _driver.RunAsync("predict", "small", "--input", rows, "--members", "1", "--url", url = at), "small");

        Assert.Equal(here.Out, there.Succeeded().Out);
        Assert.Equal(0, served.ExitCode);
        Assert.Equal(
            $$$"""
            Serving small at {{{url}}} until Ctrl-C; a browser shows the live page there. Try:
              curl {{{url}}}/v2/models/small
              ensemble predict small --input rows.csv --url {{{url}}}
              curl {{{url}}}/v2/models/small/infer -d '{"inputs":[{"name":"input","datatype":"FP32","shape":[1,1,8,8],"data":['$(seq -s, 64)']}]}'

            """,
            served.Out);
    }

    [Fact]
    public async Task What_the_server_refuses_is_said_in_one_line()
    {
        await TrainAsync();
        var rows = _driver.File("rows.csv", "pixel0\n1\n");

        var url = "";
        var (_, unknown) = await ServingAsync(at => _driver.RunAsync("predict", "nobody", "--input", rows, "--url", url = at));
        var unreachable = await _driver.RunAsync("predict", "small", "--input", rows, "--url", url);

        unknown.Refused(2, $"{url}/ says: There is no run \"nobody\" here: GET /api/runs lists those that are.");
        Assert.Equal(3, unreachable.ExitCode);
        Assert.Matches($"^{url}/ does not answer: .*\\. `ensemble serve` starts a server\\.$", Assert.Single(unreachable.ErrorLines));
        (await _driver.RunAsync("predict", "small", "--input", rows, "--url", "localhost:8000"))
            .Refused(2, "--url is localhost:8000: it takes http:// or https:// and the server's address, as in http://127.0.0.1:8000.");
    }

    [Theory]
    [InlineData("<html>", null, 0f, "describes no data of a run: it is no server of this run.")]
    [InlineData(null, "abc", 0f, "says Inference-Header-Content-Length: abc: it is no server of this run.")]
    [InlineData(null, "99999", 0f, "says that 99999 of 80 bytes are JSON: it is no server of this run.")]
    [InlineData(null, "44", 0f, "answers 1 rows with 28 bytes of probabilities: it is no server of this run.")]
    [InlineData(null, "40", float.NaN, "answers with a text of -4194304 bytes: it is no server of this run.")]
    public async Task A_server_that_is_none_of_this_run_is_told_in_one_line(string? data, string? length, float probability, string message)
    {
        await TrainAsync();
        var description = await File.ReadAllTextAsync(Path.Combine(_driver.RunsFolder, "small", "data.json"), Cancellation);
        using var wrong = LoopbackListener.Start();
        var url = wrong.Prefixes.Single().TrimEnd('/');
        var serving = Task.Run(async () =>
        {
            for (var i = 0; i < (data is null ? 2 : 1); i++)
            {
                var context = await wrong.GetContextAsync();
                if (context.Request.HttpMethod == "POST" && length is not null) context.Response.Headers["Inference-Header-Content-Length"] = length;
                await context.Response.OutputStream.WriteAsync(context.Request.HttpMethod == "GET"
                    ? Encoding.UTF8.GetBytes(data ?? description)
                    : [.. new byte[40], .. Enumerable.Repeat(BitConverter.GetBytes(probability), 10).SelectMany(bytes => bytes)]);
                context.Response.Close();
            }
        }, Cancellation);
        var rows = _driver.File("rows.csv", $"{string.Join(',', Enumerable.Range(0, 64).Select(i => $"pixel{i}"))}\n{string.Join(',', Enumerable.Range(0, 64))}\n");

        (await _driver.RunAsync("predict", "small", "--input", rows, "--url", url)).Refused(1, $"{url}/ {message}");

        await serving;
    }

    [Fact]
    public async Task A_run_that_was_started_over_http_takes_a_checkpoint_when_the_server_ends()
    {
        await ServingAsync(async url =>
        {
            using var client = new HttpClient();
            var spec = """{ "name": "long", "members": 2, "model": { "kind": "mlp", "hidden": [16] }, "training": { "epochs": 100000 } }""";
            (await client.PostAsync($"{url}/api/runs", new StringContent(spec), Cancellation)).EnsureSuccessStatusCode();
            while (RunStatusJson.FromJson(await client.GetStringAsync($"{url}/api/runs/long", Cancellation)).Steps == 0) await Task.Delay(20, Cancellation);
            return 0;
        });

        var status = (await _driver.RunAsync("status", "long", "--json")).Succeeded().Json;

        Assert.Equal("paused", status.GetProperty("state").GetString());
        Assert.True(status.GetProperty("steps").GetInt64() > 0);
    }

    [Theory, InlineData("serve", LanePriority.Idle), InlineData("train", LanePriority.Low)]
    public async Task Lanes_come_last_where_predictions_are_served(string command, LanePriority priority)
    {
        var started = new List<LanePriority>();
        using var driver = new TestDriver
        {
            Backend = Wiring.Backend with
            {
                StartCluster = (options, _) =>
                {
                    started.Add(options.LanePriority);
                    throw new IOException("That is all.");
                },
            },
        };

        await driver.RunAsync(command);

        Assert.Equal([priority], started);
    }

    [Fact]
    public async Task What_cannot_be_read_is_not_named_among_what_is_served()
    {
        await TrainAsync();
        var other = Directory.CreateDirectory(Path.Combine(_driver.RunsFolder, "a-link")).FullName;
        File.CreateSymbolicLink(Path.Combine(other, "run.json"), Path.Combine(_driver.RunsFolder, "small", "run.json"));
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(_driver.RunsFolder, "b-damaged")).FullName, "run.json"), "{");

        var (served, url) = await ServingAsync(Task.FromResult);

        Assert.StartsWith($"Serving small at {url} until Ctrl-C; a browser shows the live page there. Try:\n", served.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_served_is_refused_before_anything_starts()
    {
        (await _driver.RunAsync("serve", "nobody")).Refused(
            2, $"Run \"nobody\" does not exist in {_driver.RunsFolder}. `ensemble list --runs {_driver.RunsFolder}` shows those that do.");
        var open = await _driver.RunAsync("serve", "--http", "http://0.0.0.0:0");
        Assert.Equal(2, open.ExitCode);
        Assert.StartsWith("--http http://0.0.0.0:0 is not on loopback: it needs an API key", Assert.Single(open.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_in_use_is_named()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var url = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";

        var outcome = await _driver.RunAsync("serve", "--http", url);

        Assert.Equal(1, outcome.ExitCode);
        Assert.StartsWith($"--http {url} cannot be listened on: ", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
    }

    public void Dispose() => _driver.Dispose();

    /// <summary>Does something at the server's address while the driver serves, and then ends it with a signal.</summary>
    private async Task<(Outcome Served, T Result)> ServingAsync<T>(Func<string, Task<T>> action, params string[] runs)
    {
        var listening = new TaskCompletionSource<Interruption>();
        var serving = _driver.RunAsync(listening.SetResult, ["serve", .. runs, "--http", "http://127.0.0.1:0"]);
        while (!serving.IsCompleted && !_driver.Written.Contains("until Ctrl-C", StringComparison.Ordinal)) await Task.Delay(50, Cancellation);
        T result;
        try
        {
            result = await action(Regex.Match(_driver.Written, "http://127.0.0.1:[0-9]+").Value);
        }
        finally
        {
            (await listening.Task).Signal(130);
        }

        return (await serving, result);
    }

    private async Task TrainAsync(string kind = "mlp") => (await _driver.RunAsync(
        "train", "--name", "small", "--members", "2", "--epochs", "1", "--set", $"model.kind={kind}", "--set", "model.hidden=[16]")).Succeeded();
}
