using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace DistributedEnsemble.Cluster.Tests;

/// <summary>A process of this test, with what it says; killed at the latest when it is disposed.</summary>
internal sealed partial class LocalProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new(), _errors = new();

    public LocalProcess(string program, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Keep(_output, line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(_errors, line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Output => Read(_output);

    public string Errors => Read(_errors);

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    public void Signal(Signal signal) => Assert.Equal(0, Kill(_process.Id, (int)signal));

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
    }

    private static void Keep(StringBuilder lines, string? line)
    {
        if (line is null) return;
        lock (lines) lines.Append(line).Append('\n');
    }

    private static string Read(StringBuilder lines)
    {
        lock (lines) return lines.ToString();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}

internal enum Signal
{
    Interrupt = 2, Terminate = 15, Continue = 18, Stop = 19,
}
