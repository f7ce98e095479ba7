using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using DistributedEnsemble.Benchmarks.Endurance;
using DistributedEnsemble.Benchmarks.Serving;
using DistributedEnsemble.Serving.Inference;

namespace DistributedEnsemble.Benchmarks.Own;

/// <summary>`ensemble serve` of some build in a process of its own, and clients that ask for one image again and again.</summary>
internal sealed class ServedRun : IAsyncDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler { MaxConnectionsPerServer = 1000 });
    private readonly LocalProcess _server;
    private readonly SocketClients _sockets;
    private readonly string _url;
    private readonly byte[] _body;
    private readonly int _header;

    private ServedRun(LocalProcess server, IPEndPoint place, string run, float[] row)
    {
        (_server, _url) = (server, $"http://{place}/v2/models/{run}");
        var json = Encoding.UTF8.GetBytes(
            $$$"""{"parameters":{"binary_data_output":true},"inputs":[{"name":"input","shape":[1,1,28,28],"datatype":"FP32","parameters":{"binary_data_size":{{{4 * row.Length}}}}}]}""");
        (_body, _header) = ([.. json, .. MemoryMarshal.AsBytes(row.AsSpan())], json.Length);
        var head = Encoding.ASCII.GetBytes(
            $"POST /v2/models/{run}/infer HTTP/1.1\r\nHost: {place}\r\n{InferProtocol.JsonLength}: {_header}\r\nContent-Length: {_body.Length}\r\n\r\n");
        _sockets = new SocketClients(place, [.. head, .. _body]);
    }

    public static async Task<ServedRun> StartAsync(Driver driver, string runs, string run, float[] row)
    {
        var place = new IPEndPoint(IPAddress.Loopback, LoopbackPort.Free());
        var served = new ServedRun(new LocalProcess(driver.Program, ["serve", run, "--runs", runs, "--http", $"http://{place}"]), place, run, row);
        while (!await served.IsReadyAsync()) await Task.Delay(100);
        return served;
    }

    public Task<Measurement> MeasureAsync(int clients, double seconds) => ServedLoad.MeasureAsync(AskAsync, clients, seconds);

    /// <inheritdoc cref="SocketClients"/>
    public Measurement MeasureBySockets(int clients, double seconds) => _sockets.Measure(clients, seconds);

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    private async Task AskAsync()
    {
        using var content = new ByteArrayContent(_body);
        content.Headers.Add(InferProtocol.JsonLength, $"{_header}");
        using var response = await _client.PostAsync($"{_url}/infer", content);
        response.EnsureSuccessStatusCode();
        await response.Content.ReadAsByteArrayAsync();
    }

    private async Task<bool> IsReadyAsync()
    {
        if (_server.HasExited) throw new InvalidOperationException("The server has ended.");
        try
        {
            return (await _client.GetAsync($"{_url}/ready")).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
