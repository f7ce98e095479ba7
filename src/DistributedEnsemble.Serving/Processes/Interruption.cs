using System.Runtime.InteropServices;

namespace DistributedEnsemble.Serving.Processes;

/// <summary>The wish to end early, of a silo or a driver: the first signal asks, at any moment, also while something starts.</summary>
/// <param name="again">Hears of every further signal, by its exit code.</param>
public sealed class Interruption(Action<int> again) : IDisposable
{
    private readonly CancellationTokenSource _asked = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private int _exitCode;

    public bool IsAsked => ExitCode != 0;

    /// <summary>128 and the number of the first signal, as shells have it; 0 before it.</summary>
    public int ExitCode => Volatile.Read(ref _exitCode);

    public CancellationToken Token => _asked.Token;

    /// <summary>Listens to signals of this process, which do not end it any more.</summary>
    public static Interruption By(Action<int> again, params ReadOnlySpan<PosixSignal> signals)
    {
        var interruption = new Interruption(again);
        foreach (var signal in signals) interruption.Listen(signal);
        return interruption;
    }

    public void Signal(int exitCode)
    {
        if (Interlocked.CompareExchange(ref _exitCode, exitCode, 0) == 0) _asked.Cancel();
        else again(exitCode);
    }

    public void Dispose()
    {
        // A handler may still run, and the source has nothing to free: it is not disposed.
        foreach (var registration in _registrations) registration.Dispose();
    }

    private void Listen(PosixSignal signal)
    {
        var exitCode = signal switch
        {
            PosixSignal.SIGHUP => 129,
            PosixSignal.SIGINT => 130,
            PosixSignal.SIGQUIT => 131,
            PosixSignal.SIGTERM => 143,
            _ => throw new ArgumentOutOfRangeException(nameof(signal), signal, "It is no wish to end."),
        };
        _registrations.Add(PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            Signal(exitCode);
        }));
    }
}
