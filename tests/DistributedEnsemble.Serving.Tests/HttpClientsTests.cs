using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace DistributedEnsemble.Serving.Tests;

/// <summary>What clients and proxies of other makers send and expect, beyond what a request says.</summary>
public sealed class HttpClientsTests(ServedRuns served) : IClassFixture<ServedRuns>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("gzip")]
    [InlineData("GZIP")]
    [InlineData("deflate")]
    [InlineData("identity")]
    public async Task A_packed_body_is_unpacked(string coding)
    {
        using var content = new ByteArrayContent(Pack(JsonSerializer.SerializeToUtf8Bytes(Body()), coding.ToLowerInvariant()));
        content.Headers.ContentEncoding.Add(coding);

        using var response = await served.Client.PostAsync("/v2/models/small/infer", content, Cancellation);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("br", 415, "The body's Content-Encoding is \"br\": it may be gzip, deflate or none.")]
    [InlineData("gzip, gzip", 415, "The body's Content-Encoding is \"gzip, gzip\": it may be gzip, deflate or none.")]
    [InlineData("gzip", 400, "The body is not what its Content-Encoding \"gzip\" says: it cannot be unpacked.")]
    public async Task A_body_that_cannot_be_unpacked_is_refused(string coding, int status, string message)
    {
        using var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(Body()));
        content.Headers.TryAddWithoutValidation("Content-Encoding", coding);

        using var response = await served.Client.PostAsync("/v2/models/small/infer", content, Cancellation);

        Assert.Equal((status, message), ((int)response.StatusCode, await ErrorAsync(response)));
        if (status == 415) Assert.Equal("gzip, deflate", response.Headers.GetValues("Accept-Encoding").Single());
    }

    [Fact]
    public async Task The_limit_of_a_body_counts_what_is_unpacked()
    {
        await using var server = await served.StartAsync(new HttpSettings { MaxBodyBytes = 100_000, MaxBytesInFlight = 200_000 });
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };
        using var content = new ByteArrayContent(Pack(Encoding.UTF8.GetBytes(new string(' ', 10_000_000)), "gzip"));
        content.Headers.ContentEncoding.Add("gzip");
        Assert.InRange(content.Headers.ContentLength!.Value, 1, 99_000);

        using var response = await client.PostAsync("/v2/models/small/infer", content, Cancellation);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal("The request has more than its limit of bytes: one request takes up to 100000.", await ErrorAsync(response));
    }

    [Theory]
    [InlineData("gzip", "gzip")]
    [InlineData("deflate;q=0.5", "deflate")]
    [InlineData("br, gzip;q=0.1", "gzip")]
    [InlineData("gzip;q=0, identity", null)]
    [InlineData("br", null)]
    [InlineData(null, null)]
    public async Task An_answer_is_packed_as_its_client_accepts(string? accepted, string? coding)
    {
        var expected = (await served.PredictAsync(ServedRuns.Rows(40)))["probabilities"].Numbers;
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v2/models/small/infer") { Content = JsonContent.Create(Body(40)) };
        request.Headers.TryAddWithoutValidation("Accept-Encoding", accepted);

        using var response = await served.Client.SendAsync(request, Cancellation);

        Assert.Equal(coding, response.Content.Headers.ContentEncoding.SingleOrDefault());
        Assert.Equal("Accept-Encoding", response.Headers.Vary.Single());
        var body = await response.Content.ReadAsByteArrayAsync(Cancellation);
        Assert.Equal(body.Length, response.Content.Headers.ContentLength);
        var json = JsonElement.Parse(Unpack(body, coding ?? "identity"));
        Assert.Equal(expected, json.GetProperty("outputs")[0].GetProperty("data").EnumerateArray().Select(p => p.GetSingle()));
    }

    [Theory]
    [InlineData("/v2")]
    [InlineData("/v2/health/live")]
    [InlineData("/health/ready")]
    [InlineData("/v2/models/small")]
    [InlineData("/v2/models/small/ready")]
    [InlineData("/v2/models/small/config")]
    [InlineData("/v2/models/small/stats")]
    [InlineData("/v2/models/stats")]
    [InlineData("/api/runs")]
    [InlineData("/api/runs/small")]
    [InlineData("/api/runs/small/spec")]
    [InlineData("/api/runs/small/data")]
    [InlineData("/v2/models/nobody")]
    [InlineData("/nothing")]
    public async Task Answers_are_json_without_a_character_set_and_head_has_what_get_has(string path)
    {
        using var get = await served.Client.GetAsync(path, Cancellation);
        using var head = await served.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, path), Cancellation);

        Assert.Equal("application/json", get.Content.Headers.ContentType!.ToString());
        Assert.Equal((await get.Content.ReadAsByteArrayAsync(Cancellation)).Length, get.Content.Headers.ContentLength);
        Assert.Equal(get.StatusCode, head.StatusCode);
        Assert.Equal("application/json", head.Content.Headers.ContentType!.ToString());
        // Statistics grow with each request.
        if (!path.EndsWith("stats", StringComparison.Ordinal)) Assert.Equal(get.Content.Headers.ContentLength, head.Content.Headers.ContentLength);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync(Cancellation));
    }

    [Theory]
    [InlineData("/metrics", 200)]
    [InlineData("/dashboard/", 200)]
    [InlineData("/api/runs/small/events", 200)]
    [InlineData("/v2/models/small/infer", 405)]
    public async Task Head_is_answered_by_whatever_answers_get(string path, int status)
    {
        using var head = await served.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, path), Cancellation);

        Assert.Equal(status, (int)head.StatusCode);
    }

    [Theory]
    [InlineData("GET /health/live HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK", """{"live":true}""")]
    [InlineData("OPTIONS /health/ready HTTP/1.0\r\nHost: localhost\r\n\r\n", "HTTP/1.1 405 Method Not Allowed", """{"error":"/health/ready takes another method than OPTIONS."}""")]
    [InlineData("GET /v2/models/small HTTP/1.0\r\n\r\n", "HTTP/1.1 403 Forbidden", """{"error":"The Host \"\" is not served here: use localhost, 127.0.0.1, [::1]."}""")]
    [InlineData("GET /nothing HTTP/1.0\r\nHost: localhost\r\n\r\n", "HTTP/1.1 404 Not Found", """{"error":"There is nothing at /nothing: /v2, /api/runs, /metrics and /dashboard are what is here."}""")]
    public async Task Proxies_of_http_1_0_get_whole_answers(string request, string status, string body)
    {
        var answer = await RawAsync(served.Url, request);

        Assert.StartsWith($"{status}\r\n", answer, StringComparison.Ordinal);
        Assert.Contains($"\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n", answer, StringComparison.Ordinal);
        Assert.EndsWith($"\r\n\r\n{body}", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET /v2 HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request", "The request cannot be read: its first line, its Host, its length or another header is missing or malformed.")]
    [InlineData("POST /v2/models/small/infer HTTP/1.0\r\nHost: localhost\r\n\r\n", "HTTP/1.1 400 Bad Request", "The request cannot be read: its first line, its Host, its length or another header is missing or malformed.")]
    [InlineData("nonsense\r\n\r\n", "HTTP/1.1 400 Bad Request", "The request cannot be read: its first line, its Host, its length or another header is missing or malformed.")]
    [InlineData("GET /v2 HTTP/9.9\r\nHost: localhost\r\n\r\n", "HTTP/1.1 505 HTTP Version Not Supported", "The request's version of HTTP is unknown: 1.0 and 1.1 are spoken here.")]
    [InlineData("GET /LONG HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 414 URI Too Long", "The request's address is too long.")]
    [InlineData("GET /v2 HTTP/1.1\r\nHost: localhost\r\nX: LONGLONGLONGLONG\r\n\r\n", "HTTP/1.1 431 Request Header Fields Too Large", "The request's headers are too long.")]
    public async Task What_cannot_be_read_gets_an_error_with_a_text_too(string request, string status, string error)
    {
        var answer = await RawAsync(served.Url, request.Replace("LONG", new string('a', 10_000)));

        var body = JsonElement.Parse(answer[answer.IndexOf("\r\n\r\n", StringComparison.Ordinal)..]);
        Assert.StartsWith($"{status}\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("\r\nContent-Type: application/json\r\n", answer, StringComparison.Ordinal);
        Assert.Equal(error, body.GetProperty("error").GetString());
    }

    [Fact]
    public async Task A_long_answer_ends_with_its_connection_where_http_has_no_pieces()
    {
        var body = JsonSerializer.Serialize(Body(1000));

        var answer = await RawAsync(served.Url, $"POST /v2/models/small/infer HTTP/1.0\r\nHost: localhost\r\nContent-Length: {body.Length}\r\n\r\n{body}");

        Assert.StartsWith("HTTP/1.1 200 OK\r\n", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("Transfer-Encoding", answer, StringComparison.Ordinal);
        var json = JsonElement.Parse(answer[answer.IndexOf("\r\n\r\n", StringComparison.Ordinal)..]);
        Assert.Equal(10_000, json.GetProperty("outputs")[0].GetProperty("data").GetArrayLength());
    }

    [Fact]
    public async Task A_configuration_has_no_tensor_without_dimensions()
    {
        var config = await served.Client.GetFromJsonAsync<JsonElement>("/v2/models/small/config", Cancellation);

        var outputs = config.GetProperty("output").EnumerateArray().ToDictionary(output => output.GetProperty("name").GetString()!, output => output.GetRawText());
        Assert.Equal("""{"name":"probabilities","data_type":"TYPE_FP32","dims":[10]}""", outputs["probabilities"]);
        Assert.Equal("""{"name":"label","data_type":"TYPE_STRING","dims":[1],"reshape":{"shape":[]}}""", outputs["label"]);
        Assert.Equal("""{"name":"member_probabilities","data_type":"TYPE_FP32","dims":[-1,10]}""", outputs["member_probabilities"]);
    }

    [Fact]
    public async Task Statistics_are_tritons_with_what_was_counted()
    {
        await using var server = await served.StartAsync(new HttpSettings());
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };
        var before = await StatsAsync();
        for (var i = 0; i < 3; i++) Assert.True((await client.PostAsJsonAsync("/v2/models/other/infer", Body(4), Cancellation)).IsSuccessStatusCode);
        Assert.False((await client.PostAsJsonAsync("/v2/models/other/infer", new { }, Cancellation)).IsSuccessStatusCode);

        var after = await StatsAsync();

        Assert.Equal(("other", "1"), (after.GetProperty("name").GetString(), after.GetProperty("version").GetString()));
        Assert.Equal(12, after.GetProperty("inference_count").GetInt64());
        Assert.Equal(3, after.GetProperty("execution_count").GetInt64() - before.GetProperty("execution_count").GetInt64());
        Assert.InRange(DateTimeOffset.FromUnixTimeMilliseconds(after.GetProperty("last_inference").GetInt64()), DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow);
        foreach (var (span, count) in new[] { ("success", 3), ("fail", 1), ("queue", 3), ("compute_input", 3), ("compute_infer", 3), ("compute_output", 3) })
        {
            Assert.Equal(count, Count(after, span) - Count(before, span));
            Assert.True(after.GetProperty("inference_stats").GetProperty(span).GetProperty("ns").GetInt64() > 0, span);
        }

        var batch = after.GetProperty("batch_stats").EnumerateArray().Single(batch => batch.GetProperty("batch_size").GetInt32() == 4);
        Assert.InRange(batch.GetProperty("compute_infer").GetProperty("count").GetInt64(), 3, long.MaxValue);
        var all = await client.GetFromJsonAsync<JsonElement>("/v2/models/stats", Cancellation);
        Assert.Equal(["other"], all.GetProperty("model_stats").EnumerateArray().Select(model => model.GetProperty("name").GetString()));

        async Task<JsonElement> StatsAsync() =>
            (await client.GetFromJsonAsync<JsonElement>("/v2/models/other/versions/1/stats", Cancellation)).GetProperty("model_stats")[0];

        static long Count(JsonElement stats, string span) => stats.GetProperty("inference_stats").GetProperty(span).GetProperty("count").GetInt64();
    }

    private static object Body(int rows = 1) =>
        new { inputs = new[] { new { name = "input", shape = new[] { rows, 1, 8, 8 }, datatype = "FP32", data = Rows(rows) } } };

    private static float[] Rows(int count) => [.. Enumerable.Repeat(ServedRuns.Rows(40), (count + 39) / 40).SelectMany(rows => rows).Take(64 * count)];

    private static async Task<string?> ErrorAsync(HttpResponseMessage response) =>
        (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error").GetString();

    private static byte[] Pack(byte[] body, string coding)
    {
        var packed = new MemoryStream();
        using (Stream stream = coding == "gzip" ? new GZipStream(packed, CompressionLevel.Fastest)
            : coding == "deflate" ? new ZLibStream(packed, CompressionLevel.Fastest) : packed)
        {
            stream.Write(body);
        }

        return packed.ToArray();
    }

    private static byte[] Unpack(byte[] body, string coding)
    {
        if (coding == "identity") return body;
        using Stream stream = coding == "gzip"
            ? new GZipStream(new MemoryStream(body), CompressionMode.Decompress)
            : new ZLibStream(new MemoryStream(body), CompressionMode.Decompress);
        var unpacked = new MemoryStream();
        stream.CopyTo(unpacked);
        return unpacked.ToArray();
    }

    /// <summary>Sends bytes and reads until the server closes the connection.</summary>
    private static async Task<string> RawAsync(string url, string request)
    {
        var address = new Uri(url);
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port, Cancellation);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request), Cancellation);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(Cancellation);
    }
}
