using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using DistributedEnsemble.Serving.Inference;

namespace DistributedEnsemble.Benchmarks.Endurance;

/// <summary>
/// Asks the silos in turn, as behind a balancer: one that refuses or breaks the connection is left out for a while, and the next
/// one is asked. Every answer is checked.
/// </summary>
internal sealed class BalancedClient(IReadOnlyList<string> urls, Verdicts verdicts) : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(40), s_rest = TimeSpan.FromSeconds(1);

    private readonly HttpClient _client = new(new SocketsHttpHandler { MaxConnectionsPerServer = 1000 }) { Timeout = s_patience };
    private readonly byte[][] _bodies = [.. verdicts.Rows.Select(row => (byte[])[.. s_json, .. MemoryMarshal.AsBytes(row.AsSpan())])];
    private readonly ConcurrentDictionary<string, long> _brokenAt = [];
    private int _next;

    private static readonly byte[] s_json = Encoding.UTF8.GetBytes("""
        {"parameters":{"binary_data_output":true},"outputs":[{"name":"probabilities"},{"name":"member_probabilities"}],
         "inputs":[{"name":"input","shape":[1,1,28,28],"datatype":"FP32","parameters":{"binary_data_size":3136}}]}
        """);

    /// <summary>Requests whose silo broke the connection, and which were asked of another.</summary>
    public int Repeated;

    /// <summary>Reasons of the requests that were refused.</summary>
    public ConcurrentDictionary<string, int> Reasons { get; } = [];

    public async Task<Verdict> AskAsync(int number)
    {
        var row = number % _bodies.Length;
        for (var i = 0; i <= urls.Count; i++)
        {
            var url = Next();
            try
            {
                return await AskAsync(url, row);
            }
            catch (HttpRequestException)
            {
                _brokenAt[url] = Stopwatch.GetTimestamp();
                Interlocked.Increment(ref Repeated);
            }
            catch (OperationCanceledException)
            {
                return Verdict.Lost;
            }
        }

        return Verdict.Lost;
    }

    public void Dispose() => _client.Dispose();

    private string Next()
    {
        for (var i = 0; i < urls.Count; i++)
        {
            var url = urls[(int)((uint)Interlocked.Increment(ref _next) % urls.Count)];
            if (!_brokenAt.TryGetValue(url, out var at) || Stopwatch.GetElapsedTime(at) > s_rest) return url;
        }

        return urls[0];
    }

    private async Task<Verdict> AskAsync(string url, int row)
    {
        using var content = new ByteArrayContent(_bodies[row]);
        content.Headers.Add(InferProtocol.JsonLength, $"{s_json.Length}");
        using var response = await _client.PostAsync($"{url}/v2/models/{ServedCluster.Run}/infer", content);
        if (response.IsSuccessStatusCode)
        {
            var json = int.Parse(response.Headers.GetValues(InferProtocol.JsonLength).Single());
            var floats = MemoryMarshal.Cast<byte, float>((await response.Content.ReadAsByteArrayAsync()).AsSpan(json));
            return verdicts.Check(row, floats[..Classes], floats[Classes..]);
        }

        var reason = (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("error").GetString()!;
        Reasons.AddOrUpdate($"{(int)response.StatusCode}: {reason}", 1, (_, count) => count + 1);
        return Verdict.Refused;
    }

    private const int Classes = 10;
}
