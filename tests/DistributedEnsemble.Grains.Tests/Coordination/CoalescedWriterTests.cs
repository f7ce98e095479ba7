namespace DistributedEnsemble.Grains.Tests.Coordination;

public sealed class CoalescedWriterTests
{
    private int _value, _writes;
    private readonly List<int> _written = [];
    private readonly Queue<TaskCompletionSource> _storage = new();

    [Fact]
    public async Task A_change_during_a_write_is_in_the_next_one()
    {
        var writer = new CoalescedWriter(WriteAsync);
        var first = Change(writer);
        await UntilAsync(() => _writes == 1);
        var (second, third) = (Change(writer), Change(writer));
        Assert.False(second.IsCompleted);

        _storage.Dequeue().SetResult();
        await first;
        await UntilAsync(() => _writes == 2);
        Assert.False(second.IsCompleted);
        _storage.Dequeue().SetResult();
        await Task.WhenAll(second, third);

        Assert.Equal([1, 3], _written);
    }

    [Fact]
    public async Task A_change_after_a_write_is_written()
    {
        var writer = new CoalescedWriter(WriteAsync);
        for (var i = 1; i <= 3; i++)
        {
            var change = Change(writer);
            await UntilAsync(() => _writes == i);
            _storage.Dequeue().SetResult();
            await change;
        }

        Assert.Equal([1, 2, 3], _written);
    }

    [Fact]
    public async Task A_write_that_fails_fails_for_those_whose_change_it_was_and_the_next_one_begins()
    {
        var writer = new CoalescedWriter(WriteAsync);
        var first = Change(writer);
        await UntilAsync(() => _writes == 1);
        var second = Change(writer);
        _storage.Dequeue().SetException(new IOException("No space left on device"));

        await Assert.ThrowsAsync<IOException>(() => first);
        await UntilAsync(() => _writes == 2);
        _storage.Dequeue().SetResult();
        await second;
        Assert.Equal([2], _written);
    }

    private Task Change(CoalescedWriter writer)
    {
        _value++;
        return writer.WriteAsync();
    }

    private async Task WriteAsync()
    {
        var (value, end) = (_value, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        _storage.Enqueue(end);
        _writes++;
        await end.Task;
        _written.Add(value);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        while (!condition()) await Task.Delay(1, TestContext.Current.CancellationToken);
    }
}
