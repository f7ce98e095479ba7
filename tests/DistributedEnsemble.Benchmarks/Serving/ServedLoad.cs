using System.Collections.Immutable;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving.Inference;

namespace DistributedEnsemble.Benchmarks.Serving;

/// <summary>Clients that ask again as soon as they are answered, as many as a concurrency says.</summary>
internal sealed class ServedLoad : IDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler { MaxConnectionsPerServer = 1000 });
    private readonly ImmutableArray<float> _row;

    public ServedLoad(Served batched, Served unbatched, Served patient, string run, float[] row, float[] rows)
    {
        _row = [.. row];
        var status = RunStatusJson.FromJson(_client.GetStringAsync($"{batched.Url}/api/runs/{run}").GetAwaiter().GetResult());
        var key = new RunKey(run, status.Id).ToString();
        (Http, HttpMany) = (Request(batched, run, row, 1, ""), Request(batched, run, rows, rows.Length / row.Length, ""));
        HttpOneModel = Request(batched, run, row, 1, "\"members\":1,");
        HttpPatient = Request(patient, run, row, 1, "");
        HttpUnbatched = Request(unbatched, run, row, 1, "");
        (Aggregator, AggregatorUnbatched) = (Request(batched.Grains.GetGrain<IAggregator>(key)), Request(unbatched.Grains.GetGrain<IAggregator>(key)));
    }

    public Func<Task> Http { get; }
    public Func<Task> HttpMany { get; }
    public Func<Task> HttpOneModel { get; }
    public Func<Task> HttpUnbatched { get; }

    /// <summary>Of the silo whose lanes are patient.</summary>
    public Func<Task> HttpPatient { get; }
    public Func<Task> Aggregator { get; }
    public Func<Task> AggregatorUnbatched { get; }

    /// <summary>Long enough for the runtime to have compiled what is asked often with all its optimizations: that doubles the throughput of HTTP.</summary>
    public async Task WarmUpAsync()
    {
        foreach (var ask in new[] { Http, HttpMany, HttpOneModel, HttpUnbatched, HttpPatient, Aggregator, AggregatorUnbatched, Http, HttpMany }) await MeasureAsync(ask, 64, 5);
    }

    public static async Task<Measurement> MeasureAsync(Func<Task> ask, int concurrency, double seconds, int rows = 1)
    {
        var (begun, processor) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        var errors = 0;
        var ticks = await Task.WhenAll(Enumerable.Range(0, concurrency).Select(_ => Task.Run(ClientAsync)));
        return Measurement.Of(ticks.SelectMany(client => client), (begun, processor), rows, errors);

        async Task<List<long>> ClientAsync()
        {
            var mine = new List<long>();
            while (Stopwatch.GetElapsedTime(begun).TotalSeconds < seconds)
            {
                var asked = Stopwatch.GetTimestamp();
                try
                {
                    await ask();
                    mine.Add(Stopwatch.GetTimestamp() - asked);
                }
                catch (Exception exception) when (exception is HttpRequestException or OverloadedException)
                {
                    Interlocked.Increment(ref errors);
                }
            }

            return mine;
        }
    }

    public void Dispose() => _client.Dispose();

    private Func<Task> Request(IAggregator aggregator) => () => aggregator.PredictAsync(new PredictionRequest(_row));

    private Func<Task> Request(Served server, string run, float[] data, int rows, string parameters)
    {
        var json = Encoding.UTF8.GetBytes(
            $$$"""{"parameters":{{{{parameters}}}"binary_data_output":true},"inputs":[{"name":"input","shape":[{{{rows}}},1,28,28],"datatype":"FP32","parameters":{"binary_data_size":{{{4 * data.Length}}}}}]}""");
        byte[] body = [.. json, .. MemoryMarshal.AsBytes(data.AsSpan())];
        var url = $"{server.Url}/v2/models/{run}/infer";
        return async () =>
        {
            using var content = new ByteArrayContent(body);
            content.Headers.Add(InferProtocol.JsonLength, $"{json.Length}");
            using var response = await _client.PostAsync(url, content);
            response.EnsureSuccessStatusCode();
            await response.Content.ReadAsByteArrayAsync();
        };
    }
}
