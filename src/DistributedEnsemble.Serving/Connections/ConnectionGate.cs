using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace DistributedEnsemble.Serving.Connections;

/// <summary>
/// How many connections there are, in all and from one address. Where one is too many, the connection that has been silent for
/// longest makes room, so that whoever holds connections open and says nothing keeps nobody out: neither clients nor probes.
/// Only where every other one is being answered, the new one is closed.
/// </summary>
/// <param name="most">Of all addresses.</param>
/// <param name="mostOfAddress">Of one address.</param>
internal sealed class ConnectionGate(int most, int mostOfAddress)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, int> _addresses = [];

    /// <summary>In the order in which they became silent; those that are being answered are in none.</summary>
    private readonly LinkedList<GatedConnection> _silent = [];

    private int _count;

    public async Task OnConnectionAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var gated = new GatedConnection(this, connection, AddressOf(connection.RemoteEndPoint));
        if (!TryEnter(gated)) return;
        connection.Features.Set(gated);
        try
        {
            await next(connection);
        }
        finally
        {
            Leave(gated);
        }
    }

    /// <summary>A network of IPv6 is one client's: it has more addresses than anybody could count.</summary>
    internal static IPAddress AddressOf(EndPoint? remote)
    {
        if (remote is not IPEndPoint { Address: var address }) return IPAddress.None;
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address;
        var network = address.GetAddressBytes();
        network.AsSpan(8).Clear();
        return new IPAddress(network);
    }

    private bool TryEnter(GatedConnection connection)
    {
        GatedConnection? displaced = null;
        lock (_lock)
        {
            if (_addresses.GetValueOrDefault(connection.Address) >= mostOfAddress) displaced = _silent.FirstOrDefault(other => other.Address.Equals(connection.Address));
            else if (_count >= most) displaced = _silent.First?.Value;
            else
            {
                Enter(connection);
                return true;
            }

            if (displaced is null) return false;
            // Counted out at once: until it is closed, there may be one more than there should be.
            Remove(displaced);
            Enter(connection);
        }

        displaced.Abort();
        return true;
    }

    private void Enter(GatedConnection connection)
    {
        _count++;
        _addresses[connection.Address] = _addresses.GetValueOrDefault(connection.Address) + 1;
        _silent.AddLast(connection.Silence);
    }

    private void Leave(GatedConnection connection)
    {
        lock (_lock) Remove(connection);
    }

    private void Remove(GatedConnection connection)
    {
        if (connection.HasLeft) return;
        connection.HasLeft = true;
        if (connection.IsSilent) _silent.Remove(connection.Silence);
        _count--;
        if (--_addresses[connection.Address] == 0) _addresses.Remove(connection.Address);
    }

    /// <summary>A request begins, or has been answered.</summary>
    internal void Count(GatedConnection connection, int change)
    {
        lock (_lock)
        {
            connection.Requests += change;
            if (connection.HasLeft) return;
            if (connection.Requests == 0) _silent.AddLast(connection.Silence);
            else if (connection.IsSilent) _silent.Remove(connection.Silence);
        }
    }
}

/// <summary>A connection behind the gate.</summary>
internal sealed class GatedConnection
{
    private readonly ConnectionGate _gate;
    private readonly ConnectionContext _connection;

    public GatedConnection(ConnectionGate gate, ConnectionContext connection, IPAddress address)
    {
        (_gate, _connection, Address) = (gate, connection, address);
        Silence = new LinkedListNode<GatedConnection>(this);
    }

    public IPAddress Address { get; }

    /// <summary>Requests that are being answered; under the gate's lock, as all that follows.</summary>
    public int Requests { get; set; }

    /// <summary>Its place among the silent ones.</summary>
    public LinkedListNode<GatedConnection> Silence { get; }

    public bool IsSilent => Silence.List is not null;

    public bool HasLeft { get; set; }

    /// <summary>Marks the connection as one that is being answered, for as long as its request takes.</summary>
    public static async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<GatedConnection>() is not { } own)
        {
            await next(context);
            return;
        }

        own.Count(1);
        try
        {
            await next(context);
        }
        finally
        {
            own.Count(-1);
        }
    }

    public void Abort() => _connection.Abort(new ConnectionAbortedException("Another connection needs its place, and it has been silent for longest."));

    private void Count(int change) => _gate.Count(this, change);
}
