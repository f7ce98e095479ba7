using System.Buffers;
using System.Threading.RateLimiting;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Serving.Answers;
using DistributedEnsemble.Serving.Connections;

namespace DistributedEnsemble.Serving;

/// <summary>How much is taken on at once; what is more is refused at once, and nothing waits here.</summary>
internal sealed class Admission(HttpSettings settings) : IDisposable
{
    /// <summary>Probes that stay at once: nobody is asked for a key by them.</summary>
    private const int MostProbes = 16;

    private readonly ConcurrencyLimiter _probes = Limit(MostProbes);
    private readonly ConcurrencyLimiter _requests = Limit(settings.MaxConcurrentRequests);
    private readonly ConcurrencyLimiter _streams = Limit(settings.MaxEventStreams);
    private readonly ByteBudget _bytes = new(settings.MaxBytesInFlight);

    /// <exception cref="HttpError">As many are computed as may be.</exception>
    public IDisposable Request() => Take(_requests, 1) ?? throw HttpError.TooMany(
        $"{settings.MaxConcurrentRequests} predictions are under way, the most at once: ask again in a moment.");

    /// <exception cref="HttpError">As many watch as may.</exception>
    public IDisposable Stream() => Take(_streams, 1) ?? throw HttpError.TooMany(
        $"{settings.MaxEventStreams} watch already, the most at once: ask again later.");

    /// <summary>A watch that needs no key, which takes no place from those that do.</summary>
    /// <exception cref="HttpError">As many watch as may.</exception>
    public IDisposable Probe() => Take(_probes, 1) ?? throw HttpError.TooMany($"{MostProbes} probes watch already, the most at once: ask again later.");

    /// <summary>The memory of one request and its answer: nothing at first.</summary>
    public ByteBudget.Lease Bytes() => _bytes.Take();

    /// <summary>Reads a body, unpacked, into memory that grows as the bytes come, whatever length was announced.</summary>
    /// <param name="lease">Holds the body's bytes until it is told otherwise.</param>
    /// <exception cref="HttpError">It is too long or packed in an unknown way, or too much is in memory.</exception>
    public async Task<Body> ReadAsync(HttpRequest request, ByteBudget.Lease lease, CancellationToken cancellation)
    {
        // Whoever sends slowly holds little.
        const int MostAtFirst = 1 << 12;
        if (request.ContentLength > settings.MaxBodyBytes) throw TooLong(request.ContentLength);
        var stream = ContentCoding.Decoded(request);
        // One byte more than may be: whoever fills it sends too much.
        var most = settings.MaxBodyBytes + 1;
        // And one more than was announced, for the end to be seen.
        var first = (int)Math.Min(MostAtFirst, (request.ContentLength ?? MostAtFirst) + 1);
        var body = new Body();
        try
        {
            while (true)
            {
                if (body.Length == body.Capacity)
                {
                    if (body.Capacity == most) throw TooLong(null);
                    var capacity = (int)Math.Min(Math.Max(first, 2L * body.Capacity), most);
                    lease.Hold(Math.Min(capacity, settings.MaxBodyBytes));
                    body.Grow(capacity);
                }

                var read = await stream.ReadAsync(body.Rest, cancellation);
                if (read == 0)
                {
                    GatedConnection.HasArrived(request.HttpContext);
                    return body;
                }

                body.Length += read;
            }
        }
        catch (InvalidDataException)
        {
            body.Dispose();
            throw HttpError.BadRequest($"The body is not what its Content-Encoding {OneLine.Quoted(request.Headers.ContentEncoding)} says: it cannot be unpacked.");
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _probes.Dispose();
        _requests.Dispose();
        _streams.Dispose();
    }

    private HttpError TooLong(long? bytes) => HttpError.TooLarge(
        $"The request has {(bytes is { } length ? $"{length}" : "more than its limit of")} bytes: one request takes up to {settings.MaxBodyBytes}.");

    private static RateLimitLease? Take(ConcurrencyLimiter limiter, int permits)
    {
        var lease = limiter.AttemptAcquire(permits);
        if (lease.IsAcquired) return lease;
        lease.Dispose();
        return null;
    }

    private static ConcurrencyLimiter Limit(int permits) => new(new ConcurrencyLimiterOptions { PermitLimit = permits, QueueLimit = 0 });

    /// <summary>A request's body in pooled memory.</summary>
    internal sealed class Body : IDisposable
    {
        private byte[] _bytes = [];

        public int Length { get; internal set; }

        public ReadOnlyMemory<byte> Bytes => _bytes.AsMemory(0, Length);

        internal int Capacity { get; private set; }

        internal Memory<byte> Rest => _bytes.AsMemory(Length, Capacity - Length);

        internal void Grow(int capacity)
        {
            Capacity = capacity;
            var larger = ArrayPool<byte>.Shared.Rent(Capacity);
            _bytes.AsSpan(0, Length).CopyTo(larger);
            Return();
            _bytes = larger;
        }

        public void Dispose()
        {
            Return();
            _bytes = [];
        }

        private void Return()
        {
            if (_bytes.Length > 0) ArrayPool<byte>.Shared.Return(_bytes);
        }
    }
}
