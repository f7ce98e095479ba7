using System.Runtime.InteropServices;

namespace DistributedEnsemble.Silo;

/// <summary>
/// SIGINT, SIGTERM and SIGQUIT of a silo's process: each asks it to stop as soon as its members are safe. From the first moment on,
/// so that a stop is the same whatever the silo is just doing.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _asked = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private int _exitCode;

    public StopSignals()
    {
        Listen(PosixSignal.SIGINT, 130);
        Listen(PosixSignal.SIGTERM, 143);
        Listen(PosixSignal.SIGQUIT, 131);
    }

    public CancellationToken Token => _asked.Token;

    /// <summary>128 and the number of the first signal, as shells have it; 0 before it.</summary>
    public int ExitCode => Volatile.Read(ref _exitCode);

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
        _asked.Dispose();
    }

    private void Listen(PosixSignal signal, int exitCode) =>
        _registrations.Add(PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            if (Interlocked.CompareExchange(ref _exitCode, exitCode, 0) == 0) _asked.Cancel();
        }));
}
