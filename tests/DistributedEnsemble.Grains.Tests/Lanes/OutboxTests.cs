using DistributedEnsemble.Grains.Lanes;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Grains.Tests.Lanes;

public sealed class OutboxTests
{
    [Fact]
    public void A_delivery_that_breaks_is_told_and_lets_nobody_wait()
    {
        var sent = 0;
        using var outbox = new Outbox(_ => Interlocked.Increment(ref sent) == 1 ? throw new IOException("the disk is gone") : Task.FromResult(true));
        var first = new Held();
        outbox.Add(new Delivery(() => Task.FromResult(Acknowledgement.Recorded), first));

        // A lane that went on adding to a broken outbox would wait for ever when its room is used up.
        InvalidOperationException? broken = null;
        for (var i = 0; i < 10 && broken is null; i++) broken = Record.Exception(() => outbox.Add(new Delivery(() => Task.FromResult(Acknowledgement.Recorded)))) as InvalidOperationException;
        var completed = Assert.Throws<InvalidOperationException>(outbox.Complete);

        Assert.Equal("results could not be handed over: the disk is gone", completed.Message);
        Assert.Equal(1, sent);
        Assert.True(first.IsDisposed);
    }

    private sealed class Held : IDisposable
    {
        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }
}
