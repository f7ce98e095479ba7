namespace DistributedEnsemble.Serving;

/// <summary>Bytes of requests and answers that may be in memory at once.</summary>
internal sealed class ByteBudget(long most)
{
    private long _held;

    public long Held => Volatile.Read(ref _held);

    /// <summary>A part of the budget, empty at first, given back when it is disposed.</summary>
    public Lease Take() => new(this);

    private bool TryAdd(long bytes)
    {
        if (Interlocked.Add(ref _held, bytes) <= most || bytes <= 0) return true;
        Interlocked.Add(ref _held, -bytes);
        return false;
    }

    /// <summary>What one request holds, from its first byte until its answer is sent.</summary>
    internal sealed class Lease(ByteBudget budget) : IDisposable
    {
        private long _bytes;

        /// <summary>Holds so many bytes from now on, more or fewer than before.</summary>
        /// <exception cref="HttpError">There are not so many, now or ever.</exception>
        public void Hold(long bytes)
        {
            if (bytes > budget.Most)
                throw HttpError.TooLarge($"The request and its answer take {bytes} bytes of memory, and all together may take {budget.Most}: ask for less.");
            if (!budget.TryAdd(bytes - _bytes))
                throw HttpError.TooMany($"Requests and answers of {budget.Most} bytes are in memory, the most at once: ask again in a moment.");
            _bytes = bytes;
        }

        /// <summary>Holds so many bytes more.</summary>
        /// <inheritdoc cref="Hold"/>
        public void Add(long bytes) => Hold(_bytes + bytes);

        public void Dispose() => Hold(0);
    }

    private long Most => most;
}
