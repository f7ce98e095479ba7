using DistributedEnsemble.Serving.Live;
using DistributedEnsemble.Serving.Metrics;
using DistributedEnsemble.Serving.Runs;
using DistributedEnsemble.Training.Files;
using Microsoft.Extensions.Logging.Abstractions;

namespace DistributedEnsemble.Serving.Tests.Live;

/// <summary>What those hear who watch runs that do not change.</summary>
public sealed class SilenceTests(ServedRuns served) : IClassFixture<ServedRuns>
{
    [Fact]
    public async Task Something_is_said_four_times_a_minute_although_nothing_changes()
    {
        var time = new CountedTime();
        var settings = new HttpSettings();
        await using var index = await RunIndex.StartAsync(new FolderStorage(served.RunsFolder), time, TestContext.Current.CancellationToken);
        var live = new LiveRuns(served.Grains, index, TimeProvider.System);
        var endpoints = new LiveEndpoints(
            live, new RunFeeds(live, index, served.Grains, time), served.Grains, index, new MetricHistory(new FolderStorage(served.RunsFolder)), new FolderStorage(served.RunsFolder), new Admission(settings), NullLogger.Instance, time);
        await using var events = endpoints.ListAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);

        Assert.True(await events.MoveNextAsync());
        Assert.Equal("all", events.Current.EventType);
        for (var said = 0; said < 2; said++)
        {
            var (begun, next) = (time.GetUtcNow(), events.MoveNextAsync().AsTask());
            while (!next.IsCompleted)
            {
                Assert.InRange((time.GetUtcNow() - begun).TotalSeconds, 0, 600);
                time.Advance(TimeSpan.FromSeconds(1));
                await Task.Delay(5, TestContext.Current.CancellationToken);
            }

            Assert.True(await next);
            Assert.True(time.GetUtcNow() - begun >= TimeSpan.FromSeconds(14));
            Assert.Equal(("delta", """{"changed":[],"gone":[]}"""), (events.Current.EventType, events.Current.Data));
        }
    }
}
