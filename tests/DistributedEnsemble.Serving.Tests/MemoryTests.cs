using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace DistributedEnsemble.Serving.Tests;

/// <summary>What requests and answers take is counted before it is used, and until it is given back.</summary>
public sealed class MemoryTests(ServedRuns served) : IClassFixture<ServedRuns>
{
    private const int ManyRows = 16384;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public Task An_answer_over_the_limit_is_refused_before_anything_is_predicted() => IsRefusedUnasked(
        new HttpSettings { MaxResponseBytes = 4000 }, "probabilities", 10, 30,
        "The answer to 30 rows has up to 5598 bytes: one answer has up to 4000. Ask for fewer rows or outputs.");

    [Fact]
    public async Task An_answer_that_memory_never_has_room_for_is_too_large_and_not_too_early()
    {
        await using var server = await served.StartAsync(new HttpSettings { MaxBodyBytes = 100_000, MaxBytesInFlight = 100_000 });
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };

        using var answer = await client.PostAsync("/v2/models/small/infer", Request(300, "member_probabilities"), Cancellation);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
    }

    [Fact]
    public Task Models_whose_answers_memory_has_no_room_for_are_not_asked() => IsRefusedUnasked(
        new HttpSettings { MaxBodyBytes = 300_000, MaxBytesInFlight = 400_000 }, "label_index", 300, 400,
        "The answers of 3 models to 400 rows take 358400 bytes of memory, beside 111598 of the request and its answer: there are 400000 for all. Ask for fewer rows or members.");

    /// <summary>Few rows are answered; many are too large, and no model is asked for them.</summary>
    private async Task IsRefusedUnasked(HttpSettings settings, string output, int fewRows, int manyRows, string error)
    {
        await using var server = await served.StartAsync(settings);
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };
        using var few = await client.PostAsync("/v2/models/other/infer", Request(fewRows, output), Cancellation);
        var before = await ComputedAsync(client);

        using var many = await client.PostAsync("/v2/models/other/infer", Request(manyRows, output), Cancellation);

        Assert.Equal(HttpStatusCode.OK, few.StatusCode);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, many.StatusCode);
        Assert.Equal(error, (await many.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error").GetString());
        Assert.Equal(before, await ComputedAsync(client));
    }

    [Fact]
    public async Task What_a_request_and_its_answer_take_is_held_until_the_answer_is_sent()
    {
        await using var server = await served.StartAsync(new HttpSettings { MaxBodyBytes = 6 << 20, MaxBytesInFlight = 34 << 20 });
        using var client = new HttpClient { BaseAddress = new Uri(server.Url) };
        var url = new Uri(server.Url);
        using var content = Request(ManyRows, "member_probabilities", "probabilities");
        var body = await content.ReadAsByteArrayAsync(Cancellation);
        using var slow = new TcpClient { ReceiveBufferSize = 1 << 16 };
        await slow.ConnectAsync(url.Host, url.Port, Cancellation);
        await using var stream = slow.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes(
                $"POST /v2/models/small/infer HTTP/1.1\r\nHost: {url.Authority}\r\nConnection: close\r\nContent-Length: {body.Length}\r\n"
                + $"Inference-Header-Content-Length: {content.Headers.GetValues("Inference-Header-Content-Length").Single()}\r\n\r\n"),
            Cancellation);
        await stream.WriteAsync(body, Cancellation);
        Assert.Equal('H', stream.ReadByte());

        // Its answer is on its way, and nobody reads it.
        using var refused = await client.PostAsync("/v2/models/small/infer", Request(ManyRows, "member_probabilities"), Cancellation);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal(
            "Requests and answers of 35651584 bytes are in memory, the most at once: ask again in a moment.",
            (await refused.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("error").GetString());

        var answer = new MemoryStream();
        await stream.CopyToAsync(answer, Cancellation);
        Assert.InRange(answer.Length, 6 << 20, 32 << 20);
        await ServedRuns.WaitAsync(async () => (await client.PostAsync("/v2/models/small/infer", Request(ManyRows, "label"))).StatusCode == HttpStatusCode.OK);
    }

    [Fact]
    public void A_lease_holds_what_it_was_last_told_and_nothing_in_the_end()
    {
        var budget = new ByteBudget(100);
        using (var lease = budget.Take())
        {
            lease.Hold(80);
            lease.Hold(60);
            Assert.Equal(60, budget.Held);
            using var other = budget.Take();
            Assert.Equal(429, Assert.Throws<HttpError>(() => other.Hold(41)).Status);
            other.Hold(40);
            lease.Hold(10);
            Assert.Equal(50, budget.Held);
        }

        Assert.Equal(0, budget.Held);
    }

    private static async Task<long> ComputedAsync(HttpClient client) =>
        (await client.GetFromJsonAsync<JsonElement>("/v2/models/other/stats", Cancellation))
            .GetProperty("model_stats")[0].GetProperty("inference_stats").GetProperty("compute_infer").GetProperty("count").GetInt64();

    private static ByteArrayContent Request(int rows, params string[] outputs)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(new
        {
            inputs = new[] { new { name = "input", shape = new[] { rows, 1, 8, 8 }, datatype = "FP32", parameters = new { binary_data_size = 256 * rows } } },
            outputs = outputs.Select(name => new { name }),
        });
        var numbers = new float[64 * rows];
        numbers.AsSpan().Fill(3);
        var content = new ByteArrayContent([.. json, .. MemoryMarshal.AsBytes(numbers.AsSpan())]);
        content.Headers.Add("Inference-Header-Content-Length", $"{json.Length}");
        return content;
    }
}
