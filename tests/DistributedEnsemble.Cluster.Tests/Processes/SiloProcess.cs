namespace DistributedEnsemble.Cluster.Tests;

/// <summary>A silo in a process of its own.</summary>
internal sealed class SiloProcess : IAsyncDisposable
{
    private readonly LocalProcess _process;

    public SiloProcess(string redis, string runs, int lanes) => _process = new LocalProcess(
        Path.Combine(AppContext.BaseDirectory, "ensemble-silo"), "--cluster", redis, "--runs", runs, "--lanes", $"{lanes}");

    /// <summary>Address and port, as a run's status names it; null before it is ready.</summary>
    public string? Endpoint => _process.Output is var said && said.Contains("is ready", StringComparison.Ordinal) ? said.Split(' ')[1] : null;

    public string Errors => _process.Errors;

    public string Output => _process.Output;

    public bool HasExited => _process.HasExited;

    public bool IsPaused { get; private set; }

    public async Task ReadyAsync()
    {
        await Until.TrueAsync(() => Endpoint is not null || HasExited);
        Assert.False(HasExited, _process.Errors);
    }

    public Task KillAsync() => _process.KillAsync();

    public void Pause()
    {
        _process.Signal(Signal.Stop);
        IsPaused = true;
    }

    public void Continue()
    {
        _process.Signal(Signal.Continue);
        IsPaused = false;
    }

    public void Terminate() => _process.Signal(Signal.Terminate);

    public Task<int> ExitAsync() => _process.ExitAsync();

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
