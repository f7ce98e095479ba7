using System.Collections.Concurrent;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Predictions;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Training.Predictions;
using Microsoft.Extensions.Time.Testing;

namespace DistributedEnsemble.Grains.Tests.Predictions;

public sealed class RequestBatcherTests : IDisposable
{
    private static readonly ConstituentSelection s_all = new([new WeightFile(0, 1, "a", "a")], [1], 0, null);
    private static readonly ConstituentSelection s_other = new([new WeightFile(1, 1, "b", "b")], [1], 0, null);

    private readonly PredictionOptions _options = new() { MaxBatchSize = 8, MaxQueueSize = 3 };
    private readonly FakeTimeProvider _time = new();
    private readonly BlockingCollection<Computed> _batches = [];
    private readonly List<RequestBatcher> _batchers = [];
    private bool _hasIdleThreads;
    private Action? _whenIdle;

    [Fact]
    public async Task Requests_that_gather_while_every_slot_computes_are_computed_together()
    {
        var batcher = Batcher();
        var first = Ask(batcher, rows: 1);
        var busy = Next();
        var second = Ask(batcher, rows: 2);
        var third = Ask(batcher, rows: 3);

        busy.Answer();
        await first;
        var batch = Next();
        batch.Answer();

        Assert.Equal([[2f, 2f], [3f, 3f, 3f]], batch.Batch.Rows);
        Assert.Equal(0, (await second).Constituents);
        Assert.Equal(2, (await third).Constituents);
    }

    [Fact]
    public async Task A_free_slot_waits_until_a_thread_is_idle()
    {
        var batcher = Batcher(slots: 2);
        var tasks = new List<Task> { Ask(batcher, rows: 1) };
        var busy = Next();
        tasks.Add(Ask(batcher, rows: 2));
        Assert.False(_batches.TryTake(out _, TimeSpan.FromMilliseconds(100)));

        _hasIdleThreads = true;
        _whenIdle!();

        Assert.Equal(2, Next(answer: true).Rows);
        busy.Answer();
        await Task.WhenAll(tasks);
    }

    [Fact]
    public async Task A_batch_is_never_larger_than_max_batch_size_unless_one_request_is()
    {
        var batcher = Batcher();
        var tasks = new List<Task> { Ask(batcher, rows: 20) };
        var alone = Next();
        tasks.AddRange([Ask(batcher, rows: 6), Ask(batcher, rows: 5), Ask(batcher, rows: 2)]);

        var counts = new List<int> { alone.Rows };
        alone.Answer();
        for (var i = 0; i < 2; i++)
        {
            var batch = Next();
            counts.Add(batch.Rows);
            batch.Answer();
        }

        await Task.WhenAll(tasks);
        Assert.Equal([20, 8, 5], counts);
    }

    [Fact]
    public async Task Requests_for_other_models_are_computed_apart()
    {
        var batcher = Batcher();
        var tasks = new List<Task> { Ask(batcher, rows: 1) };
        var busy = Next();
        tasks.AddRange([Ask(batcher, rows: 1, s_other), Ask(batcher, rows: 2), Ask(batcher, rows: 3, s_other)]);
        busy.Answer();

        var (one, two) = (Next(answer: true), Next(answer: true));

        await Task.WhenAll(tasks);
        Assert.Equal((s_other, 4), (one.Batch.Selection, one.Rows));
        Assert.Equal((s_all, 2), (two.Batch.Selection, two.Rows));
    }

    [Fact]
    public async Task A_full_queue_refuses_at_once_with_the_setting_s_name()
    {
        var batcher = Batcher();
        var tasks = new List<Task> { Ask(batcher, rows: 1) };
        var busy = Next();
        for (var i = 0; i < 3; i++) tasks.Add(Ask(batcher, rows: 1));

        var refused = await Assert.ThrowsAsync<OverloadedException>(() => Ask(batcher, rows: 1));

        Assert.Equal("3 requests wait, and max_queue_size is 3: ask again in a moment.", refused.Message);
        busy.Answer();
        Next(answer: true);
        await Task.WhenAll(tasks);
    }

    [Fact]
    public async Task A_client_that_gives_up_leaves_the_queue()
    {
        var batcher = Batcher();
        var first = Ask(batcher, rows: 1);
        var busy = Next();
        using var gone = new CancellationTokenSource();
        var (left, stays) = (Ask(batcher, rows: 4, gone: gone), Ask(batcher, rows: 2));

        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        busy.Answer();

        Assert.Equal(2, Next(answer: true).Rows);
        await Task.WhenAll(first, stays);
    }

    [Fact]
    public async Task A_batch_is_cancelled_when_its_last_client_gives_up_and_not_before()
    {
        var batcher = Batcher();
        var first = Ask(batcher, rows: 1);
        var busy = Next();
        using CancellationTokenSource one = new(), two = new();
        var tasks = new[] { Ask(batcher, rows: 1, gone: one), Ask(batcher, rows: 1, gone: two) };
        busy.Answer();
        await first;
        var batch = Next();

        await one.CancelAsync();
        Assert.False(batch.Cancellation.IsCancellationRequested);
        await two.CancelAsync();
        Assert.True(batch.Cancellation.IsCancellationRequested);

        batch.Answer();
        foreach (var task in tasks) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => task);
        var after = Ask(batcher, rows: 1);
        Next(answer: true);
        await after;
    }

    [Fact]
    public async Task A_request_waits_for_company_as_long_as_max_queue_delay_says()
    {
        _options.MaxQueueDelayMicroseconds = 5000;
        var batcher = Batcher();
        var tasks = new[] { Ask(batcher, rows: 1), Ask(batcher, rows: 2) };
        _time.Advance(TimeSpan.FromMilliseconds(4));
        Assert.Empty(_batches);

        _time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal(3, Next(answer: true).Rows);
        await Task.WhenAll(tasks);
    }

    [Fact]
    public async Task A_full_batch_waits_for_nobody()
    {
        _options.MaxQueueDelayMicroseconds = 5000;
        var batcher = Batcher();
        var tasks = new[] { Ask(batcher, rows: 3), Ask(batcher, rows: 5) };

        Assert.Equal(8, Next(answer: true).Rows);
        await Task.WhenAll(tasks);
    }

    [Fact]
    public async Task What_is_wrong_with_one_request_is_not_the_others_matter()
    {
        var batcher = Batcher();
        var first = Ask(batcher, rows: 1);
        var busy = Next();
        var (wrong, right) = (Ask(batcher, rows: 7), Ask(batcher, rows: 1));
        busy.Answer();
        Next(answer: true);

        Assert.Equal("seven", (await Assert.ThrowsAsync<RunRejectedException>(() => wrong)).Message);
        await Task.WhenAll(first, right);
    }

    [Fact]
    public async Task A_batch_that_fails_fails_its_requests_and_leaves_the_slot_free()
    {
        var batcher = Batcher();
        var first = Ask(batcher, rows: 1);
        Next().Fail(new QuorumException("too few"));

        await Assert.ThrowsAsync<QuorumException>(() => first);
        var second = Ask(batcher, rows: 1);
        Next(answer: true);
        await second;
    }

    public void Dispose()
    {
        foreach (var batcher in _batchers) batcher.Dispose();
        _batches.Dispose();
    }

    private RequestBatcher Batcher(int slots = 1)
    {
        var batcher = new RequestBatcher(_options, slots, IsIdle, _time, (batch, cancellation) =>
        {
            var computed = new Computed(batch, cancellation);
            _batches.Add(computed, CancellationToken.None);
            return computed.Result;
        });
        _batchers.Add(batcher);
        return batcher;
    }

    private bool IsIdle(Action whenIdle)
    {
        _whenIdle = whenIdle;
        return _hasIdleThreads;
    }

    /// <summary>Each row is the number of the request's rows.</summary>
    private static Task<Prediction> Ask(
        RequestBatcher batcher, int rows, ConstituentSelection? selection = null, CancellationTokenSource? gone = null) =>
        batcher.AskAsync(
            new BatchRequest(selection ?? s_all, new PredictionRequest([.. Enumerable.Repeat((float)rows, rows)]), rows),
            gone?.Token ?? TestContext.Current.CancellationToken);

    private Computed Next(bool answer = false)
    {
        var batch = _batches.Take(TestContext.Current.CancellationToken);
        if (answer) batch.Answer();
        return batch;
    }

    private sealed class Computed(RequestBatch batch, CancellationToken cancellation) : IBatchAnswer
    {
        private readonly TaskCompletionSource<IBatchAnswer> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public RequestBatch Batch => batch;
        public int Rows => batch.Requests.Sum(request => request.Count);
        public CancellationToken Cancellation => cancellation;
        public Task<IBatchAnswer> Result => _result.Task;

        public void Answer() => _result.SetResult(this);

        public void Fail(Exception exception) => _result.SetException(exception);

        /// <summary>Says in a prediction's constituents where its rows began.</summary>
        public Prediction Part(int first, BatchRequest request) =>
            request.Count == 7 ? throw new RunRejectedException("seven") : new Prediction(0, [], first);
    }
}
