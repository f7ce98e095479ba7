using System.Text.RegularExpressions;

namespace DistributedEnsemble.Tests.Processes;

/// <summary>A silo in a process of its own.</summary>
/// <param name="start">Starts it, and another one in its place.</param>
internal sealed partial class SiloProcess(Func<LocalProcess> start) : IAsyncDisposable
{
    private readonly LocalProcess _process = start();

    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "ensemble-silo");

    public Func<LocalProcess> Start => start;

    public int Id => _process.Id;

    /// <summary>Address and port, as a run's status names it; null before it is ready.</summary>
    public string? Endpoint => ReadyLine().Match(Output) is { Success: true } said ? said.Groups["endpoint"].Value : null;

    /// <summary>Where it serves HTTP; null if it does not.</summary>
    public string? Url => ReadyLine().Match(Output) is { Success: true } said && said.Groups["url"] is { Success: true } url ? url.Value : null;

    public string Errors => _process.Errors;

    public string Output => _process.Output;

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    public bool IsPaused { get; private set; }

    /// <summary>Whether the test lets it end.</summary>
    public bool IsMeantToEnd { get; set; }

    public async Task ReadyAsync()
    {
        await Until.TrueAsync(() => Endpoint is not null || HasExited);
        Assert.False(HasExited, _process.Errors);
    }

    public Task KillAsync()
    {
        IsMeantToEnd = true;
        return _process.KillAsync();
    }

    /// <summary>SIGSTOP: as a machine that stands still. If the others miss it, it ends when it goes on.</summary>
    public void Pause()
    {
        IsMeantToEnd = true;
        _process.Signal(Signal.Stop);
        IsPaused = true;
    }

    public void Continue()
    {
        _process.Signal(Signal.Continue);
        IsPaused = false;
    }

    public void Terminate() => Ask(Signal.Terminate);

    /// <summary>Asks it to end.</summary>
    public void Ask(Signal signal)
    {
        IsMeantToEnd = true;
        _process.Signal(signal);
    }

    public async Task<int> ExitAsync()
    {
        await Until.TrueAsync(() => HasExited);
        return await _process.ExitAsync();
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    [GeneratedRegex(@"^Silo (?<endpoint>\S+) is ready(.*HTTP at (?<url>\S+)\.$)?", RegexOptions.Multiline)]
    private static partial Regex ReadyLine();
}
