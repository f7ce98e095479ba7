using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Serving.Inference;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Serving.Tests;

public sealed class InferTests(ServedRuns served) : IClassFixture<ServedRuns>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_server_and_its_models_describe_themselves()
    {
        var server = await served.Client.GetFromJsonAsync<JsonElement>("/v2", Cancellation);
        var model = await served.Client.GetFromJsonAsync<JsonElement>("/v2/models/small", Cancellation);

        Assert.Contains("binary_tensor_data", server.GetProperty("extensions").EnumerateArray().Select(extension => extension.GetString()));
        Assert.Equal("""{"name":"input","datatype":"FP32","shape":[-1,1,8,8]}""", model.GetProperty("inputs")[0].GetRawText());
        Assert.Equal("""{"name":"probabilities","datatype":"FP32","shape":[-1,10]}""", model.GetProperty("outputs")[0].GetRawText());
        Assert.Equal("""["0","1","2","3","4","5","6","7","8","9"]""", model.GetProperty("parameters").GetProperty("classes").GetRawText());
        Assert.Equal(["1"], model.GetProperty("versions").EnumerateArray().Select(version => version.GetString()));
    }

    [Fact]
    public async Task Probes_answer_as_the_specification_and_as_kserve_say()
    {
        Assert.Equal("""{"live":true}""", await served.Client.GetStringAsync("/v2/health/live", Cancellation));
        Assert.Equal("""{"ready":true,"live":true}""", await served.Client.GetStringAsync("/v2/health/ready", Cancellation));
        Assert.Equal("""{"name":"small","ready":true}""", await served.Client.GetStringAsync("/v2/models/small/ready", Cancellation));
        Assert.Equal("""{"name":"small","ready":true}""", await served.Client.GetStringAsync("/v2/models/small/versions/1/ready", Cancellation));
    }

    [Theory]
    [InlineData("/v2/models/small/infer", "small")]
    [InlineData("/v2/models/small/versions/1/infer", "small")]
    [InlineData("/v2/models/other/infer", "other")]
    public async Task A_prediction_over_http_is_the_aggregator_s(string path, string name)
    {
        var rows = ServedRuns.Rows(3);
        var expected = await served.PredictAsync(rows, name: name);

        var (status, answer) = await served.PostAsync(path, new
        {
            id = "a",
            inputs = new[] { new { name = "input", shape = new[] { 3, 1, 8, 8 }, datatype = "FP32", data = rows } },
            outputs = OutputTensor.Of(ServedModels.Of([1, 8, 8], ["0", "1"], 3)).Select(tensor => new { name = tensor.Name }),
        });

        Assert.Equal(200, status);
        Assert.Equal("a", answer.GetProperty("id").GetString());
        Assert.Equal(name, answer.GetProperty("model_name").GetString());
        Assert.Equal(expected["probabilities"].Numbers, Output(answer, "probabilities").Select(p => p.GetSingle()));
        Assert.Equal(expected["label"].Texts, Output(answer, "label").Select(label => label.GetString()));
        Assert.Equal(expected["entropy"].Numbers, Output(answer, "entropy").Select(p => p.GetSingle()));
        Assert.Equal(expected["mutual_information"].Numbers, Output(answer, "mutual_information").Select(p => p.GetSingle()));
        Assert.Equal(expected["label_index"].Integers, Output(answer, "label_index").Select(p => p.GetInt64()));
        Assert.Equal([3, 3, 3], Output(answer, "members_used").Select(p => p.GetInt32()));
        Assert.Equal(expected.Members[1].Outputs[0].Numbers.Slice(10, 10), Output(answer, "member_probabilities").Select(p => p.GetSingle()).Skip(40).Take(10));
    }

    [Fact]
    public async Task Parameters_choose_the_models()
    {
        var row = ServedRuns.Rows(1);

        var (_, answer) = await served.PostAsync("/v2/models/small/infer", Body(row, new { members = 2, monte_carlo_samples = 5, from = "final", select = "all" }));
        var (_, calibrated) = await served.PostAsync("/v2/models/small/infer", Body(row, new { calibrated = true }));

        var expected = await served.PredictAsync(row, new ConstituentChoice(PredictionSource.Final, "all", 2, 5));
        Assert.Equal(expected["probabilities"].Numbers, Output(answer, "probabilities").Select(p => p.GetSingle()));
        Assert.Equal(2, answer.GetProperty("parameters").GetProperty("members_used").GetInt32());
        Assert.NotEqual((await served.PredictAsync(row))["probabilities"].Numbers, Output(calibrated, "probabilities").Select(p => p.GetSingle()));
    }

    [Fact]
    public async Task Rows_stop_asking_members_with_a_stated_probability_and_say_how_many_they_asked()
    {
        var rows = ServedRuns.Rows(20);
        var body = new
        {
            parameters = new { early_exit = 0.1 }, outputs = new[] { new { name = "members_used" }, new { name = "label" } },
            inputs = new[] { new { name = "input", shape = new[] { 20, 1, 8, 8 }, datatype = "FP32", data = rows } },
        };

        var (status, answer) = await served.PostAsync("/v2/models/small/infer", body);
        var (refused, message) = await served.PostAsync("/v2/models/small/infer", body with { parameters = new { early_exit = 1.0 } });

        var expected = await served.PredictAsync(rows, new ConstituentChoice { EarlyExit = 0.1 }, perMember: false);
        Assert.Equal(200, status);
        Assert.Equal(expected.RowMembers, Output(answer, "members_used").Select(members => members.GetInt32()));
        Assert.Contains(expected.RowMembers, members => members < 3);
        Assert.Equal(expected["label"].Texts, Output(answer, "label").Select(label => label.GetString()));
        Assert.Equal((400, "parameters.early_exit is 1: it must be a number from 0, which asks all members, and below 1."), (refused, message.GetProperty("error").GetString()));
    }

    [Fact]
    public async Task Binary_in_and_binary_out()
    {
        var rows = ServedRuns.Rows(2);
        var json = Encoding.UTF8.GetBytes(
            """{"inputs":[{"name":"input","shape":[2,1,8,8],"datatype":"FP32","parameters":{"binary_data_size":512}}],"parameters":{"binary_data_output":true}}""");
        using var content = new ByteArrayContent([.. json, .. MemoryMarshal.AsBytes(rows.AsSpan())]);
        content.Headers.Add("Inference-Header-Content-Length", $"{json.Length}");
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");

        using var response = await served.Client.PostAsync("/v2/models/small/infer", content, Cancellation);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var body = await response.Content.ReadAsByteArrayAsync(Cancellation);
        var length = int.Parse(response.Headers.GetValues("Inference-Header-Content-Length").Single());
        Assert.Equal(80, JsonElement.Parse(body.AsSpan(0, length)).GetProperty("outputs")[0].GetProperty("parameters").GetProperty("binary_data_size").GetInt32());
        Assert.Equal((await served.PredictAsync(rows))["probabilities"].Numbers, MemoryMarshal.Cast<byte, float>(body.AsSpan(length)).ToArray());
    }

    [Theory]
    [InlineData("GET", "/v2/models/nobody", 404, "Model \"nobody\" is unknown: no run has that name.")]
    [InlineData("GET", "/v2/models/..%2F..%2Fetc", 404, "Model \"..%2F..%2Fetc\" is unknown: no run has that name.")]
    [InlineData("POST", "/v2/models/nobody/infer", 404, "Model \"nobody\" is unknown: no run has that name.")]
    [InlineData("GET", "/v2/models/small/versions/2", 404, "Model \"small\" has no version \"2\": a run has the version 1 alone.")]
    [InlineData("POST", "/v2/models/small/versions/2/infer", 404, "Model \"small\" has no version \"2\": a run has the version 1 alone.")]
    [InlineData("GET", "/v3", 404, "There is nothing at /v3: /v2, /api/runs, /metrics and /dashboard are what is here.")]
    [InlineData("GET", "/v2/models/small/infer", 405, "/v2/models/small/infer takes another method than GET.")]
    public async Task What_is_not_there_is_said_in_one_line(string method, string path, int status, string message)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var response = await served.Client.SendAsync(request, Cancellation);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(message, (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error").GetString());
    }

    [Fact]
    public async Task What_the_run_cannot_do_is_a_bad_request()
    {
        var (status, answer) = await served.PostAsync("/v2/models/small/infer", Body(ServedRuns.Rows(1), new { from = "ema" }));

        Assert.Equal(400, status);
        Assert.StartsWith("prediction.from is ema: run \"small\" kept no EMA models", answer.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_over_the_limit_is_refused_whether_it_says_so_or_not()
    {
        await using var server = await served.StartAsync(new HttpSettings { MaxBodyBytes = 2000, MaxBytesInFlight = 100_000 });
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };
        foreach (var chunked in new[] { false, true })
        {
            // Sent in one piece: a client that is still sending when it is refused may find the connection closed, and no answer.
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v2/models/small/infer") { Content = new ByteArrayContent(new byte[3_000]) };
            request.Headers.TransferEncodingChunked = chunked;
            using var response = await client.SendAsync(request, Cancellation);

            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        }
    }

    [Fact]
    public async Task A_body_up_to_the_limit_is_answered_where_all_bodies_have_hardly_more_room()
    {
        await using var server = await served.StartAsync(new HttpSettings { MaxBodyBytes = 100_000, MaxBytesInFlight = 101_000 });
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };
        var json = JsonSerializer.Serialize(new { inputs = new[] { new { name = "input", shape = new[] { 1, 1, 8, 8 }, datatype = "FP32", data = ServedRuns.Rows(1) } } });
        foreach (var length in new[] { json.Length, 1 << 16, 95_000, 100_000 })
        {
            using var response = await client.PostAsync("/v2/models/small/infer", new StringContent(json.PadRight(length)), Cancellation);

            Assert.Equal((length, HttpStatusCode.OK), (length, response.StatusCode));
        }
    }

    [Fact]
    public async Task More_requests_than_may_be_under_way_are_refused_at_once()
    {
        await using var server = await served.StartAsync(new HttpSettings { MaxConcurrentRequests = 1 });
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };
        HttpResponseMessage? refused = null;
        while (refused is null)
        {
            using var gone = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            var large = client.PostAsJsonAsync("/v2/models/small/infer", Large(), gone.Token);
            // It may be answered, or be the one that is refused: then another one takes its turn.
            while (refused is null && !large.IsCompleted)
            {
                var answer = await client.PostAsJsonAsync("/v2/models/small/infer", Body(ServedRuns.Rows(1)), Cancellation);
                if (answer.StatusCode == HttpStatusCode.TooManyRequests) refused = answer;
            }

            await gone.CancelAsync();
            await Task.WhenAny(large);
        }

        Assert.Equal("1 predictions are under way, the most at once: ask again in a moment.", (await refused.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error").GetString());
        Assert.Equal("1", refused.Headers.RetryAfter!.ToString());
        await ServedRuns.WaitAsync(async () => (await client.PostAsJsonAsync("/v2/models/small/infer", Body(ServedRuns.Rows(1)), Cancellation)).IsSuccessStatusCode);
    }

    [Fact]
    public async Task Clients_that_send_slowly_take_no_place_from_others()
    {
        await using var server = await served.StartAsync(new HttpSettings { MaxConcurrentRequests = 1 });
        using var client = new HttpClient(new SocketsHttpHandler { Expect100ContinueTimeout = Timeout.InfiniteTimeSpan }) { BaseAddress = new Uri(server.Url) };
        var slow = Enumerable.Range(0, 3).Select(_ => new Trickle(JsonSerializer.SerializeToUtf8Bytes(Body(ServedRuns.Rows(1))))).ToArray();
        var answers = slow.Select(content =>
        {
            var request = new HttpRequestMessage(HttpMethod.Post, "/v2/models/small/infer") { Content = content };
            // It begins to send when the server begins to read.
            request.Headers.ExpectContinue = true;
            return client.SendAsync(request, Cancellation);
        }).ToArray();
        foreach (var (content, answer) in slow.Zip(answers)) await Task.WhenAny(content.HasBegun.Task, answer).WaitAsync(Cancellation);

        var quick = await client.PostAsJsonAsync("/v2/models/small/infer", Body(ServedRuns.Rows(1)), Cancellation);

        Assert.Equal(HttpStatusCode.OK, quick.StatusCode);
        foreach (var (content, answer) in slow.Zip(answers))
        {
            content.Go.SetResult();
            Assert.Equal(HttpStatusCode.OK, (await answer).StatusCode);
        }
    }

    [Fact]
    public async Task A_client_that_sends_too_slowly_gets_an_error_in_time()
    {
        await using var server = await served.StartAsync(new HttpSettings { RequestTimeoutSeconds = 1 });
        var url = new Uri(server.Url);
        using var client = new TcpClient();
        await client.ConnectAsync(url.Host, url.Port, Cancellation);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST /v2/models/small/infer HTTP/1.1\r\nHost: {url.Authority}\r\nContent-Length: 1000\r\n\r\n{{"), Cancellation);

        using var reader = new StreamReader(stream);
        var answer = await reader.ReadLineAsync(Cancellation);

        Assert.Equal("HTTP/1.1 504 Gateway Timeout", answer);
    }

    [Fact]
    public async Task A_client_that_leaves_harms_nobody()
    {
        var large = Large();
        for (var i = 0; i < 10; i++)
        {
            using var gone = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            var request = served.Client.PostAsJsonAsync("/v2/models/small/infer", large, gone.Token);
            await gone.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        }

        var (status, _) = await served.PostAsync("/v2/models/small/infer", Body(ServedRuns.Rows(1)));
        Assert.Equal(200, status);
    }

    [Fact]
    public async Task Many_clients_at_once_each_get_their_own_answer()
    {
        var rows = ServedRuns.Rows(64).Chunk(64).ToList();
        var answers = await Task.WhenAll(rows.Select(row => served.PostAsync("/v2/models/small/infer", Body(row))));

        for (var i = 0; i < rows.Count; i++)
        {
            var expected = (await served.PredictAsync(rows[i]))["probabilities"].Numbers;
            var actual = Output(answers[i].Json, "probabilities").Select(p => p.GetSingle()).ToList();
            for (var c = 0; c < expected.Length; c++) Assert.Equal(expected[c], actual[c], 1e-6);
        }
    }

    /// <summary>Two million forward passes: longer than it takes to leave.</summary>
    private static object Large() =>
        Body([.. Enumerable.Repeat(ServedRuns.Rows(300), 10).SelectMany(rows => rows)], new { monte_carlo_samples = 200 }, rows: 3000);

    private static object Body(float[] data, object? parameters = null, int rows = 1) =>
        new { parameters = parameters ?? new { }, inputs = new[] { new { name = "input", shape = new[] { rows, 1, 8, 8 }, datatype = "FP32", data } } };

    private static JsonElement.ArrayEnumerator Output(JsonElement answer, string name) =>
        answer.GetProperty("outputs").EnumerateArray().Single(output => output.GetProperty("name").GetString() == name).GetProperty("data").EnumerateArray();
}
