using System.Net;
using System.Net.Sockets;

namespace DistributedEnsemble.Silo;

/// <summary>
/// Ports that no other process listens on. Orleans' own listeners share a port without a word, and two silos that advertise
/// one endpoint evict each other: so each is tested by an exclusive bind, and kept by a locked file until the silo listens.
/// </summary>
internal sealed class FreePorts : IDisposable
{
    private const int Tries = 1000;

    private readonly List<FileStream> _kept = [];

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
        foreach (var file in _kept) file.Dispose();
    }

    private bool TryTake(IPAddress address, int port)
    {
        FileStream? kept = null;
        try
        {
            // Between the test and the listening another silo would find the port free, too.
            kept = new FileStream(Path.Combine(Path.GetTempPath(), $"ensemble-port-{port}"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
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
}
