using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace DistributedEnsemble.Tests.Processes;

/// <summary>A process of this test, with what it says; killed at the latest when it is disposed.</summary>
internal sealed partial class LocalProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new(), _errors = new();
    private readonly Task _end;

    public LocalProcess(string program, params IEnumerable<string> arguments) : this(program, arguments, [])
    {
    }

    /// <param name="environment">Variables over those of this process.</param>
    public LocalProcess(string program, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>> environment)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Keep(_output, line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(_errors, line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        _end = _process.WaitForExitAsync();
    }

    public string Output => Read(_output);

    public string Errors => Read(_errors);

    public int Id => _process.Id;

    /// <summary>And all that it said has been read.</summary>
    public bool HasExited => _end.IsCompleted;

    public int ExitCode => _process.ExitCode;

    public void Signal(Signal signal) => Assert.Equal(0, Kill(_process.Id, (int)signal));

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _end;
    }

    /// <summary>Lets it clean up, if it has not ended.</summary>
    public async Task EndAsync()
    {
        if (!_process.HasExited) Signal(Processes.Signal.Terminate);
        await _end;
    }

    /// <summary>Runs a program to its end, which must be a good one.</summary>
    public static async Task<string> RunAsync(
        string program, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>>? environment = null)
    {
        await using var process = new LocalProcess(program, arguments, environment ?? []);
        await Until.TrueAsync(() => process.HasExited);
        Assert.True(await process.ExitAsync() == 0, $"{program} ended with {process.ExitCode}: {process.Output}{process.Errors}");
        return process.Output;
    }

    public async Task<int> ExitAsync()
    {
        await _end.WaitAsync(TestContext.Current.CancellationToken);
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

public enum Signal
{
    HangUp = 1, Interrupt = 2, Terminate = 15, Continue = 18, Stop = 19,
}
