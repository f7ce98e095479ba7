using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace DistributedEnsemble.Benchmarks.Endurance;

/// <summary>A program under load, with what it says; killed when it is disposed.</summary>
internal sealed partial class LocalProcess : IAsyncDisposable
{
    private const int Terminate = 15;

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _said = [];

    public LocalProcess(string program, IEnumerable<string> arguments, params IEnumerable<(string Name, string Value)> variables)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in variables) start.Environment[name] = value;
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => _said.Enqueue(line.Data ?? "");
        _process.ErrorDataReceived += (_, line) => _said.Enqueue(line.Data ?? "");
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public bool HasExited => _process.HasExited;

    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>All lines so far.</summary>
    public IReadOnlyCollection<string> Said => _said;

    /// <summary>Waits for a line that has the text.</summary>
    /// <exception cref="InvalidOperationException">The program ended, or did not say it.</exception>
    public async Task<string> SaysAsync(string text)
    {
        for (var begun = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begun) < s_patience && !HasExited; await Task.Delay(50))
        {
            if (_said.FirstOrDefault(line => line.Contains(text, StringComparison.Ordinal)) is { } found) return found;
        }

        throw new InvalidOperationException($"{_process.StartInfo.FileName} did not say \"{text}\": {string.Join(' ', _said)}");
    }

    /// <summary>kill -9.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Asks it to end, and lets it clean up.</summary>
    public async Task EndAsync()
    {
        if (!HasExited && Signal(_process.Id, Terminate) != 0) throw new InvalidOperationException($"{_process.StartInfo.FileName} cannot be asked to end.");
        using var patience = new CancellationTokenSource(s_patience);
        await _process.WaitForExitAsync(patience.Token);
    }

    public async ValueTask DisposeAsync()
    {
        if (!HasExited) Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}
