using System.Net;
using System.Net.Sockets;
using DistributedEnsemble.Serving.Hosting;

namespace DistributedEnsemble.Silo;

/// <summary>
/// Ports that no other process listens on. Orleans' own listeners share a port without a word, and two silos that advertise
/// one endpoint evict each other: so each is tested by an exclusive bind, and kept until the silo listens by a name that one
/// process at a time can have.
/// </summary>
internal sealed class FreePorts : IDisposable
{
    private const int Tries = 1000;

    private readonly List<IDisposable> _kept = [];

    /// <exception cref="SiloSettingsException">The port is taken, or the address is not this machine's.</exception>
    public int Take(IPAddress address, int? wanted, int first, string option)
    {
        if (wanted is { } port)
        {
            return TryTake(address, port) ? port : throw new SiloSettingsException(
                $"{option} {port} of {address} is taken. Without the option, the silo takes the first free one from {first}.");
        }

        for (port = first; port < first + Tries; port++)
        {
            if (TryTake(address, port)) return port;
        }

        throw new SiloSettingsException($"No port of {address} from {first} to {first + Tries - 1} is free: give {option}.");
    }

    public void Dispose()
    {
        foreach (var kept in _kept) kept.Dispose();
    }

    private bool TryTake(IPAddress address, int port)
    {
        IDisposable? kept = null;
        try
        {
            // Between the test and the listening another silo would find the port free, too.
            kept = Keep(port);
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ExclusiveAddressUse = true };
            socket.Bind(new IPEndPoint(address, port));
            _kept.Add(kept);
            return true;
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressNotAvailable)
        {
            kept?.Dispose();
            throw new SiloSettingsException($"--address {address} is not an address of this machine.");
        }
        catch (Exception exception) when (exception is SocketException or IOException or UnauthorizedAccessException)
        {
            kept?.Dispose();
            return false;
        }
    }

    /// <summary>
    /// On Linux a name that is no file: it ends with the process, and what another user left cannot stand in the way. Elsewhere a
    /// locked file, in a temporary folder that is the user's own.
    /// </summary>
    private static IDisposable Keep(int port)
    {
        var name = $"ensemble-port-{port}";
        if (!OperatingSystem.IsLinux())
            return new FileStream(Path.Combine(Path.GetTempPath(), name), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(new UnixDomainSocketEndPoint($"\0{name}"));
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
