using System.Text.Json;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving.Live;
using DistributedEnsemble.Serving.Metrics;
using DistributedEnsemble.Serving.Runs;
using DistributedEnsemble.Training.Files;
using Microsoft.Extensions.Logging.Abstractions;

namespace DistributedEnsemble.Serving.Tests.Live;

public sealed class ManyRunsTests(ServedRuns served) : IClassFixture<ServedRuns>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whoever_lists_many_runs_hears_of_some_at_a_time()
    {
        const int Runs = 450;
        using var folder = new TemporaryFolder();
        foreach (var name in Enumerable.Range(0, Runs).Select(i => $"run-{i:D3}"))
        {
            var status = new RunStatus { Run = name, Id = Guid.NewGuid(), State = RunState.Completed, Members = [new MemberStatus { Index = 0, State = MemberState.Completed, StepsTotal = 1 }] };
            await File.WriteAllTextAsync(Path.Combine(Directory.CreateDirectory(folder.File(name)).FullName, "run.json"), RunStatusJson.ToJson(status), Cancellation);
        }

        var storage = new FolderStorage(folder.Path);
        await using var index = await RunIndex.StartAsync(storage, TimeProvider.System, Cancellation);
        await ServedRuns.WaitAsync(() => Task.FromResult(index.List().Count() == Runs));
        var live = new LiveRuns(served.Grains, index, TimeProvider.System);
        using var admission = new Admission(new HttpSettings());
        var endpoints = new LiveEndpoints(
            live, new RunFeeds(live, index, served.Grains, TimeProvider.System), served.Grains, index, new MetricHistory(storage), storage, admission, NullLogger.Instance, TimeProvider.System);

        var (names, events) = (new List<string>(), new List<string>());
        await foreach (var one in endpoints.ListAsync(Cancellation))
        {
            var some = JsonElement.Parse(one.Data).GetProperty("changed").EnumerateArray().Select(run => run.GetProperty("run").GetString()!).ToArray();
            Assert.InRange(some.Length, 1, 200);
            names.AddRange(some);
            events.Add(one.EventType);
            if (names.Count >= Runs) break;
        }

        Assert.Equal(["all", "delta", "delta"], events);
        Assert.Equal(index.List().Select(run => run.Run), names);
    }
}
