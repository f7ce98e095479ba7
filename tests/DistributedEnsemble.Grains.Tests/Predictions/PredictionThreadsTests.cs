using System.Collections.Concurrent;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Predictions;
using DistributedEnsemble.Predictions;
using Microsoft.Extensions.Time.Testing;

namespace DistributedEnsemble.Grains.Tests.Predictions;

public sealed class PredictionThreadsTests
{
    private readonly EnsembleTrainingOptions _options = new() { Prediction = { Threads = 1 } };
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task A_full_queue_refuses_what_is_served_and_keeps_what_is_evaluated_waiting()
    {
        using var threads = new PredictionThreads(_options, _time);
        using var free = new ManualResetEventSlim();
        var served = new List<Task<int>> { Serve(threads, free, 0) };
        var refused = 0;
        for (var i = 1; refused == 0; i++)
        {
            try
            {
                served.Add(Serve(threads, free, i));
            }
            catch (OverloadedException exception)
            {
                Assert.Equal("64 predictions wait for the 1 prediction threads of this silo: ask again in a moment.", exception.Message);
                refused = i;
            }
        }

        var evaluated = Enumerable.Range(0, 200).Select(i => threads.RunAsync(() => i)).ToList();
        free.Set();

        // One is computed, 64 wait; it may have been taken from the queue only after that.
        Assert.InRange(refused, 64, 65);
        Assert.Equal(Enumerable.Range(0, refused), await Task.WhenAll(served));
        Assert.Equal(Enumerable.Range(0, 200), await Task.WhenAll(evaluated));
    }

    [Fact]
    public async Task What_is_given_up_waits_for_no_room_and_is_not_computed()
    {
        using var threads = new PredictionThreads(_options, _time);
        using ManualResetEventSlim isBusy = new(), free = new();
        using var asker = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var computed = 0;
        var busy = threads.RunAsync(
            () =>
            {
                isBusy.Set();
                free.Wait();
                return 0;
            },
            TestContext.Current.CancellationToken);
        isBusy.Wait(TestContext.Current.CancellationToken);
        // 64 fit into the queue.
        var givenUp = Enumerable.Range(0, 100).Select(_ => threads.RunAsync(() => Interlocked.Increment(ref computed), asker.Token)).ToList();

        await asker.CancelAsync();
        foreach (var waiting in givenUp.Skip(64)) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        free.Set();
        foreach (var queued in givenUp) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => queued);

        Assert.Equal(0, await busy);
        Assert.Equal(0, computed);
        Assert.Equal(7, await threads.RunAsync(() => 7, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task What_is_served_comes_before_what_is_evaluated()
    {
        using var threads = new PredictionThreads(_options, _time);
        using ManualResetEventSlim isBusy = new(), free = new();
        var order = new List<string>();
        var busy = threads.ServeAsync(1, (_, _) =>
        {
            isBusy.Set();
            free.Wait();
        });
        isBusy.Wait(TestContext.Current.CancellationToken);
        var evaluated = threads.RunAsync(() => Note("evaluated"), TestContext.Current.CancellationToken);
        var served = threads.ServeAsync(1, (_, _) => Note("served"));

        free.Set();
        await Task.WhenAll(busy, evaluated, served);

        Assert.Equal(["served", "evaluated"], order);

        int Note(string what)
        {
            order.Add(what);
            return 0;
        }
    }

    [Fact]
    public async Task What_is_served_is_divided_over_the_threads_that_are_idle()
    {
        _options.Prediction.Threads = 3;
        using var threads = new PredictionThreads(_options, _time);
        using var free = new ManualResetEventSlim();
        Assert.Equal(["0 of 3", "1 of 3", "2 of 3"], await PartsAsync(threads, idle: 3, most: 10));
        Assert.Equal(["0 of 2", "1 of 2"], await PartsAsync(threads, idle: 3, most: 2));

        var busy = new List<Task> { Serve(threads, free, 0) };
        Assert.Equal(["0 of 2", "1 of 2"], await PartsAsync(threads, idle: 2, most: 10));

        busy.AddRange([threads.RunAsync(Wait, TestContext.Current.CancellationToken), threads.RunAsync(Wait, TestContext.Current.CancellationToken)]);
        while (threads.Idle != 0) await Task.Delay(1, TestContext.Current.CancellationToken);
        var late = PartsAsync(threads, idle: 0, most: 10);
        Assert.False(late.IsCompleted);
        free.Set();

        Assert.Equal(["0 of 1"], await late);
        await Task.WhenAll(busy);

        int Wait()
        {
            free.Wait();
            return 0;
        }
    }

    [Fact]
    public async Task Who_finds_no_idle_thread_is_called_once_when_there_is_one()
    {
        using var threads = new PredictionThreads(_options, _time);
        using var free = new ManualResetEventSlim();
        using var called = new SemaphoreSlim(0);
        var WhenIdle = () => { called.Release(); };
        Assert.True(threads.IsIdle(WhenIdle));
        var busy = Serve(threads, free, 0);
        Assert.False(threads.IsIdle(WhenIdle));
        Assert.False(threads.IsIdle(WhenIdle));
        Assert.Equal(0, called.CurrentCount);

        free.Set();

        await called.WaitAsync(TestContext.Current.CancellationToken);
        await busy;
        Assert.True(threads.IsIdle(WhenIdle));
        Assert.Equal(0, called.CurrentCount);
    }

    [Fact]
    public async Task Predictions_are_in_demand_from_one_that_is_served_until_none_has_been_for_a_moment()
    {
        using var threads = new PredictionThreads(_options, _time);
        await threads.RunAsync(() => 0, TestContext.Current.CancellationToken);
        Assert.False(threads.AreInDemand);

        await threads.ServeAsync(1, (_, _) => Assert.True(threads.AreInDemand));

        Assert.True(threads.AreInDemand);
        _time.Advance(TimeSpan.FromMilliseconds(20));
        Assert.False(threads.AreInDemand);
    }

    private static Task<int> Serve(PredictionThreads threads, ManualResetEventSlim free, int value)
    {
        var served = -1;
        var task = threads.ServeAsync(1, (_, _) =>
        {
            free.Wait();
            served = value;
        });
        return ThenAsync();

        async Task<int> ThenAsync()
        {
            await task;
            return served;
        }
    }

    /// <returns>The parts into which work is divided while so many threads are idle.</returns>
    private static async Task<IEnumerable<string>> PartsAsync(PredictionThreads threads, int idle, int most)
    {
        while (threads.Idle != idle) await Task.Delay(1, TestContext.Current.CancellationToken);
        var computed = new ConcurrentBag<string>();
        await threads.ServeAsync(most, (part, parts) => computed.Add($"{part} of {parts}"));
        return computed.Order();
    }
}
