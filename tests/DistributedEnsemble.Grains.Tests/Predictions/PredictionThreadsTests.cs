namespace DistributedEnsemble.Grains.Tests.Predictions;

public sealed class PredictionThreadsTests
{
    private readonly EnsembleTrainingOptions _options = new() { Prediction = { Threads = 1 } };

    [Fact]
    public async Task A_full_queue_refuses_what_is_served_and_keeps_what_is_evaluated_waiting()
    {
        using var threads = new PredictionThreads(_options);
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
    public async Task What_is_served_comes_before_what_is_evaluated()
    {
        using var threads = new PredictionThreads(_options);
        using ManualResetEventSlim isBusy = new(), free = new();
        var order = new List<string>();
        var busy = threads.ServeAsync(() =>
        {
            isBusy.Set();
            free.Wait();
            return 0;
        });
        isBusy.Wait(TestContext.Current.CancellationToken);
        var evaluated = threads.RunAsync(() => Note("evaluated"));
        var served = threads.ServeAsync(() => Note("served"));

        free.Set();
        await Task.WhenAll(busy, evaluated, served);

        Assert.Equal(["served", "evaluated"], order);

        int Note(string what)
        {
            order.Add(what);
            return 0;
        }
    }

    private static Task<int> Serve(PredictionThreads threads, ManualResetEventSlim free, int value) => threads.ServeAsync(() =>
    {
        free.Wait();
        return value;
    });
}
