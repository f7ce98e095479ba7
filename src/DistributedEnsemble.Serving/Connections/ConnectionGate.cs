using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace DistributedEnsemble.Serving.Connections;

/// <summary>
/// How many connections there are, in all and from one address. Where one is too many, the connection that has been silent for
/// longest makes room, and where none is silent the one whose request has been coming for longest, so that whoever holds connections
/// open and says nothing, or says it slowly, keeps nobody out: neither clients nor probes. Only where every other one is being
/// answered, the new one is closed.
/// </summary>
/// <param name="most">Of all addresses.</param>
/// <param name="mostOfAddress">Of one address.</param>
internal sealed class ConnectionGate(int most, int mostOfAddress)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, int> _addresses = [];

    /// <summary>In the order in which they became so; those that are being answered are in none.</summary>
    private readonly LinkedList<GatedConnection> _silent = [], _sending = [];

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
            if (_addresses.GetValueOrDefault(connection.Address) >= mostOfAddress) displaced = Idle().FirstOrDefault(other => other.Address.Equals(connection.Address));
            else if (_count >= most) displaced = Idle().FirstOrDefault();
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
        _silent.AddLast(connection.Place);
    }

    /// <summary>Those that can make room, the first one first.</summary>
    private IEnumerable<GatedConnection> Idle() => _silent.Concat(_sending);

    private void Leave(GatedConnection connection)
    {
        lock (_lock) Remove(connection);
    }

    private void Remove(GatedConnection connection)
    {
        if (connection.HasLeft) return;
        connection.HasLeft = true;
        connection.Place.List?.Remove(connection.Place);
        _count--;
        if (--_addresses[connection.Address] == 0) _addresses.Remove(connection.Address);
    }

    /// <summary>Requests begin to come, are there, or have been answered.</summary>
    internal void Count(GatedConnection connection, int sent, int answered)
    {
        lock (_lock)
        {
            connection.Sent += sent;
            connection.Answered += answered;
            if (connection.HasLeft) return;
            var list = connection.Answered > 0 ? null : connection.Sent > 0 ? _sending : _silent;
            if (connection.Place.List == list) return;
            connection.Place.List?.Remove(connection.Place);
            list?.AddLast(connection.Place);
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
        Place = new LinkedListNode<GatedConnection>(this);
    }

    public IPAddress Address { get; }

    /// <summary>Requests whose bodies are still coming; under the gate's lock, as all that follows.</summary>
    public int Sent { get; set; }

    /// <summary>Requests that are there and being answered.</summary>
    public int Answered { get; set; }

    /// <summary>Its place among those that can make room; in no list while it is being answered.</summary>
    public LinkedListNode<GatedConnection> Place { get; }

    public bool HasLeft { get; set; }

    /// <summary>Marks the connection as one that is being answered, from the last byte of its request's body until the answer's.</summary>
    public static async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<GatedConnection>() is not { } own)
        {
            await next(context);
            return;
        }

        using var request = new Request(own, hasBody: context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody != false);
        context.Features.Set(request);
        await next(context);
    }

    /// <summary>The body of a request was read to its end.</summary>
    public static void HasArrived(HttpContext context) => context.Features.Get<Request>()?.HasArrived();

    public void Abort() => _connection.Abort(new ConnectionAbortedException("Another connection needs its place, and nothing has been answered on it for longest."));

    private sealed class Request : IDisposable
    {
        private readonly GatedConnection _connection;
        private bool _isThere;

        public Request(GatedConnection connection, bool hasBody)
        {
            (_connection, _isThere) = (connection, !hasBody);
            Count(1);
        }

        public void HasArrived()
        {
            if (_isThere) return;
            _isThere = true;
            _connection._gate.Count(_connection, -1, 1);
        }

        public void Dispose() => Count(-1);

        private void Count(int change) => _connection._gate.Count(_connection, _isThere ? 0 : change, _isThere ? change : 0);
    }
}
