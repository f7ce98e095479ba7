using System.Diagnostics;
using System.Runtime.InteropServices;

namespace DistributedEnsemble.Client.Tests.Processes;

/// <summary>The program itself, in a process of its own that a test can kill.</summary>
internal sealed partial class EnsembleProcess : IDisposable
{
    public const int Interrupt = 2, Terminate = 15;

    private readonly Process _process;
    private readonly Task<string> _output, _errors;

    private EnsembleProcess(Process process) =>
        (_process, _output, _errors) = (process, process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public static EnsembleProcess Start(params string[] arguments) => Start([], arguments);

    /// <param name="environment">Variables over those of this process.</param>
    public static EnsembleProcess Start(IEnumerable<KeyValuePair<string, string>> environment, string[] arguments)
    {
        var program = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "ensemble.exe" : "ensemble");
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        return new EnsembleProcess(Process.Start(start)!);
    }

    public static Task<Outcome> RunAsync(params string[] arguments) => RunAsync([], arguments);

    /// <inheritdoc cref="Start(IEnumerable{KeyValuePair{string, string}}, string[])"/>
    public static async Task<Outcome> RunAsync(IEnumerable<KeyValuePair<string, string>> environment, string[] arguments)
    {
        using var process = Start(environment, arguments);
        return await process.EndAsync();
    }

    /// <summary>SIGKILL: the process does nothing more.</summary>
    public void Kill() => _process.Kill();

    /// <summary>SIGTERM: the run takes its checkpoints.</summary>
    public void Stop() => Signal(Terminate);

    public void Signal(int signal) => _ = SendSignal(_process.Id, signal);

    public async Task<Outcome> EndAsync()
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return Outcome.Of(_process.ExitCode, await _output, await _errors);
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);
}
