using DistributedEnsemble.Grains.Stores.Objects;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Tests.Objects;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Grains.Tests.Stores.Objects;

/// <summary>Runs of one process whose files are objects, in a store that fails at times.</summary>
public sealed class ObjectRunTests : IAsyncLifetime
{
    private const string Status = $"runs/small/{RunFolder.StatusFile}", Record = $"runs/small/{RunFolder.RecordFile}";

    private readonly StrictObjectServer _server = new();
    private readonly RunsFolder _runs = new();
    private readonly ObjectStorage _objects;
    private EnsembleCluster _cluster = null!;

    public ObjectRunTests() => _objects = _server.Open("runs", _runs.Path);

    public async ValueTask InitializeAsync() => _cluster = await EnsembleCluster.StartAsync(runsFolder: _runs.Path, configure: options => options.Store = _objects);

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        _objects.Dispose();
        await _server.DisposeAsync();
        _runs.Dispose();
    }

    [Fact]
    public async Task An_end_whose_run_json_is_refused_at_first_is_told_when_the_store_takes_it()
    {
        var refused = 0;
        _server.Fault = request => IsEnd(request) && Interlocked.Increment(ref refused) <= 2 ? new ObjectFault(507, "InsufficientStorage") : null;

        var status = await _cluster.TrainAsync(Specs.Small);

        Assert.Equal(RunState.Completed, status.State);
        Assert.True(refused > 2);
        Assert.Equal(RunState.Completed, RunStatusFile.Read(new RunFolder(_objects, "small"))!.State);
    }

    [Fact]
    public async Task A_store_that_does_not_take_run_json_for_a_while_does_not_pause_the_run()
    {
        // So many that one write, with all its tries, fails.
        var refused = 0;
        _server.Fault = request => request is { Method: "PUT", Key: Status } && Interlocked.Increment(ref refused) is > 1 and <= 6 ? new ObjectFault(503, "SlowDown") : null;

        var status = await _cluster.WhenAsync(await _cluster.SubmitAsync(Specs.Small), status => status.HasEnded || status.State == RunState.Paused);

        Assert.Equal((RunState.Completed, null), (status.State, status.Reason));
        Assert.True(refused > 6);
        Assert.Equal(RunState.Completed, RunStatusFile.Read(new RunFolder(_objects, "small"))!.State);
    }

    [Fact]
    public async Task A_write_of_the_record_whose_answer_is_lost_before_the_store_is_away_counts_once_and_pauses_nothing()
    {
        var puts = 0;
        _server.Fault = request => request is not { Method: "PUT", Key: Record } ? null : Interlocked.Increment(ref puts) switch
        {
            3 => ObjectFault.AnswerLost,
            // With them all tries of one write have failed.
            > 3 and <= 7 => new ObjectFault(503, "SlowDown"),
            _ => null,
        };

        var status = await _cluster.WhenAsync(await _cluster.SubmitAsync(Specs.Small), status => status.HasEnded || status.State == RunState.Paused);

        Assert.Equal((RunState.Completed, null), (status.State, status.Reason));
        Assert.True(puts > 7);
        Assert.Equal(Specs.Reference(Specs.Small), Specs.Of(status));
    }

    private static bool IsEnd(ObjectRequest request) =>
        request is { Method: "PUT", Key: Status } && RunStatusJson.FromJson(System.Text.Encoding.UTF8.GetString(request.Body)).State == RunState.Completed;
}
