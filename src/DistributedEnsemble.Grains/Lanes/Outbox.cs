using System.Threading.Channels;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Grains.Lanes;

/// <summary>Something that a lane has to tell the coordinator.</summary>
/// <param name="SendAsync">Writes its file, if any, and tells of it; may be tried again.</param>
/// <param name="Holds">The copy of weights that it needs until it is sent.</param>
internal sealed record Delivery(Func<Task<Acknowledgement>> SendAsync, IDisposable? Holds = null);

/// <summary>
/// What a lane has to tell, delivered in order behind its back. At most two deliveries are outstanding; then the lane waits,
/// so that memory stays bounded when the store is slow.
/// </summary>
internal sealed class Outbox : IDisposable
{
    private const int Outstanding = 2;

    private readonly Channel<Delivery> _channel = Channel.CreateUnbounded<Delivery>();
    private readonly SemaphoreSlim _room = new(Outstanding);
    private readonly Task _delivering;
    private volatile Exception? _failure;

    /// <param name="deliverAsync">Delivers one; false lets all that follow be dropped.</param>
    public Outbox(Func<Delivery, Task<bool>> deliverAsync) => _delivering = Task.Run(() => DeliverAllAsync(deliverAsync));

    /// <summary>Adds a delivery; waits while too many are outstanding.</summary>
    /// <exception cref="InvalidOperationException">An earlier one broke: nothing is delivered any more.</exception>
    public void Add(Delivery delivery)
    {
        _room.Wait();
        if (_failure is not null) delivery.Holds?.Dispose();
        ThrowIfBroken();
        _channel.Writer.TryWrite(delivery);
    }

    /// <summary>Waits until all is delivered or dropped.</summary>
    /// <exception cref="InvalidOperationException">A delivery broke.</exception>
    public void Complete()
    {
        _channel.Writer.TryComplete();
        _delivering.Wait();
        ThrowIfBroken();
    }

    /// <summary>Waits until all is delivered or dropped.</summary>
    public void Dispose()
    {
        _channel.Writer.TryComplete();
        _delivering.Wait();
        _room.Dispose();
    }

    private async Task DeliverAllAsync(Func<Delivery, Task<bool>> deliverAsync)
    {
        var goesOn = true;
        await foreach (var delivery in _channel.Reader.ReadAllAsync())
        {
            try
            {
                using (delivery.Holds) goesOn = goesOn && await deliverAsync(delivery);
            }
            catch (Exception exception)
            {
                (goesOn, _failure) = (false, exception);
            }

            // Also after a failure: a lane that waits for room would wait for ever.
            _room.Release();
        }
    }

    private void ThrowIfBroken()
    {
        if (_failure is { } failure) throw new InvalidOperationException($"results could not be handed over: {failure.Message}", failure);
    }
}
