using System.Net;
using System.Net.Sockets;

namespace DistributedEnsemble.Tests;

/// <summary>For programs that have to be told their port: whoever can ask for any listens on 0.</summary>
internal static class LoopbackPort
{
    /// <returns>A port of loopback that nobody has now.</returns>
    public static int Free()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
