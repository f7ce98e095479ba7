using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace DistributedEnsemble.Benchmarks.Own;

/// <summary>Which of some sockets have something to read, as Linux tells it: the runtime's own ways look at all of them each time, or wake a thread for each.</summary>
internal sealed partial class SocketEvents : IDisposable
{
    private readonly int _epoll = Checked(Create(0));
    private readonly Event[] _events = new Event[256];

    /// <param name="number">By which <see cref="Wait"/> names it.</param>
    public void Add(Socket socket, int number)
    {
        const int AddOne = 1;
        const uint CanBeRead = 1;
        var added = new Event { Kinds = CanBeRead, Number = number };
        Checked(Control(_epoll, AddOne, (int)socket.Handle, ref added));
    }

    /// <returns>Valid until it is asked again.</returns>
    public ReadOnlySpan<Event> Wait(int milliseconds)
    {
        const int Interrupted = 4;
        var count = Wait(_epoll, _events, _events.Length, milliseconds);
        return _events.AsSpan(0, count < 0 && Marshal.GetLastPInvokeError() == Interrupted ? 0 : Checked(count));
    }

    public void Dispose() => _ = Close(_epoll);

    private static int Checked(int result) => result >= 0 ? result : throw new Win32Exception();

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial int Create(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int Control(int epoll, int operation, int descriptor, ref Event added);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    private static partial int Wait(int epoll, [Out] Event[] events, int most, int milliseconds);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    /// <summary>As x86-64 has it: without a gap.</summary>
    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    internal struct Event
    {
        public uint Kinds;

        /// <summary>Of the socket.</summary>
        public long Number;
    }
}
