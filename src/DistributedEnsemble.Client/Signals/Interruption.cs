using System.Runtime.InteropServices;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Silo;

namespace DistributedEnsemble.Client.Signals;

/// <summary>The wish to end early: the first signal asks, a second one ends the process at once.</summary>
/// <param name="exit">Ends the process with an exit code.</param>
internal sealed class Interruption(Action<int> exit) : IDisposable
{
    private readonly CancellationTokenSource _asked = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private int _exitCode;

    public bool IsAsked => Volatile.Read(ref _exitCode) != 0;

    /// <summary>The exit code of the first signal; 0 before it.</summary>
    public int ExitCode => Volatile.Read(ref _exitCode);

    public CancellationToken Token => _asked.Token;

    /// <summary>Listens to Ctrl-C, SIGTERM and SIGHUP of this process.</summary>
    public static Interruption OfThisProcess()
    {
        var interruption = new Interruption(EndAtOnce);
        interruption.Listen(PosixSignal.SIGINT, Failures.ExitCode.Interrupted);
        interruption.Listen(PosixSignal.SIGTERM, Failures.ExitCode.Terminated);
        interruption.Listen(PosixSignal.SIGHUP, Failures.ExitCode.HungUp);
        return interruption;
    }

    public void Signal(int exitCode)
    {
        if (Interlocked.CompareExchange(ref _exitCode, exitCode, 0) == 0) _asked.Cancel();
        else exit(exitCode);
    }

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
        _asked.Dispose();
    }

    private void Listen(PosixSignal signal, int exitCode) =>
        _registrations.Add(PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            Signal(exitCode);
        }));

    private static void EndAtOnce(int exitCode)
    {
        const string showCursor = "\e[?25h";
        if (!Console.IsOutputRedirected) Console.Out.Write(showCursor);
        else if (!Console.IsErrorRedirected) Console.Error.Write(showCursor);
        ProcessEnd.AtOnce(exitCode);
    }
}
