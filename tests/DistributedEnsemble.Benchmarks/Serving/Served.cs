using DistributedEnsemble.Serving;
using DistributedEnsemble.Serving.Hosting;

namespace DistributedEnsemble.Benchmarks.Serving;

/// <summary>A silo with HTTP.</summary>
internal sealed class Served(EmbeddedSilo silo, HttpServer http) : IAsyncDisposable
{
    public Orleans.IGrainFactory Grains => silo.Grains;

    public string Url => http.Url;

    public async ValueTask DisposeAsync()
    {
        await http.DisposeAsync();
        await silo.DisposeAsync();
    }
}
