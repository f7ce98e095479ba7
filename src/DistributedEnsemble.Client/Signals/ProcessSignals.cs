using System.Runtime.InteropServices;
using DistributedEnsemble.Serving.Processes;

namespace DistributedEnsemble.Client.Signals;

/// <summary>The signals of this process.</summary>
internal static class ProcessSignals
{
    /// <summary>Ctrl-C, SIGTERM and SIGHUP: the first asks, a second one ends the process at once.</summary>
    public static Interruption Listen() => Interruption.By(EndAtOnce, PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP);

    private static void EndAtOnce(int exitCode)
    {
        const string showCursor = "\e[?25h";
        if (!Console.IsOutputRedirected) Console.Out.Write(showCursor);
        else if (!Console.IsErrorRedirected) Console.Error.Write(showCursor);
        ProcessEnd.AtOnce(exitCode);
    }
}
