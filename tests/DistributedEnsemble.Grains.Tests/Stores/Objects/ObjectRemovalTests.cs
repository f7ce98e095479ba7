using System.Text;
using DistributedEnsemble.Grains.Coordination;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Grains.Stores.Objects;
using DistributedEnsemble.Grains.Stores.Redis;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Tests.Objects;
using DistributedEnsemble.Training.Files;
using Microsoft.Extensions.Logging.Abstractions;

namespace DistributedEnsemble.Grains.Tests.Stores.Objects;

/// <summary>Runs that are removed from a store of objects, file by file, while others take their names.</summary>
public sealed class ObjectRemovalTests : IAsyncDisposable
{
    private static readonly string[] s_files = [RunFolder.SpecFile, RunFolder.RecordFile, RunFolder.StatusFile, "members/00/metrics.jsonl", RunFolder.Snapshot(0, 1)];

    private static readonly TimeSpan s_sleep = TimeSpan.FromMinutes(11);

    private readonly RunsFolder _scratch = new();
    private readonly StrictObjectServer _server = new();
    private readonly ObjectStorage _objects;
    private readonly EnsembleTrainingOptions _options;

    public ObjectRemovalTests()
    {
        _objects = _server.Open("runs", _scratch.Path);
        _options = new EnsembleTrainingOptions { RunsFolder = _scratch.Path, Store = _objects };
    }

    public async ValueTask DisposeAsync()
    {
        _objects.Dispose();
        await _server.DisposeAsync();
        _scratch.Dispose();
    }

    [Fact]
    public Task Whoever_takes_a_name_while_its_run_is_removed_keeps_all_files() => WhateverComesBetweenAsync(
        new ObjectRunStore(_options), RemoveAsync, () =>
        {
            _objects.Write("run/claim", default);
            _server.Age(TimeSpan.FromHours(1));
            return Task.CompletedTask;
        });

    [Fact]
    public async Task Whoever_takes_a_name_when_one_of_two_removals_has_ended_keeps_all_files()
    {
        var names = new ObjectRunStore(_options);
        for (var (moment, came) = (0, true); came; moment++)
        {
            foreach (var name in _server.Names) _objects.Delete(name["runs/".Length..]);
            Write(RunKey.New("run"), RunState.Completed);
            _server.Age(TimeSpan.FromHours(1));
            var (next, hasName) = (RunKey.New("run"), false);

            came = await BetweenAsync(moment, RemoveAsync, async () =>
            {
                await RemoveAsync();
                hasName = await TakeAsync(names, next);
            });

            if (hasName) Assert.All(s_files, file => Assert.Equal(BytesOf(file, next, RunState.Running), _objects.ReadAllBytes($"run/{file}")));
            else Assert.True(await TakeAsync(names, next));
        }
    }

    [Fact]
    public async Task Whoever_takes_a_name_while_its_run_is_removed_from_a_cluster_keeps_all_files()
    {
        await using var redis = await LocalRedis.StartAsync();
        var store = new RedisRunStore(redis.Connection, _options, NullLogger<RedisRunStore>.Instance);
        var run = RunKey.New("run");
        await WhateverComesBetweenAsync(
            new RedisRuns(redis.Connection, _options, NullLogger<RedisRuns>.Instance),
            () => _objects.RemoveAsync("run", async () =>
            {
                await store.ClearAsync(run);
                return true;
            }),
            () => redis.Connection.GetDatabase().HashSetAsync("ensemble/runs", "run", $"{run}"));
    }

    [Fact]
    public async Task Whoever_takes_a_name_while_its_removal_sleeps_for_long_keeps_all_files()
    {
        var (clock, names, told) = (new SettableClock(), new ObjectRunStore(_options), 0);
        using var sleepy = _server.Open("runs", _scratch.Path, clock);
        for (var (moment, came) = (0, true); came; moment++)
        {
            foreach (var name in _server.Names) _objects.Delete(name["runs/".Length..]);
            Write(RunKey.New("run"), RunState.Completed);
            for (var i = 0; i < 60; i++) _objects.Write($"run/{RunFolder.Snapshot(1, i)}", default);
            _server.Age(TimeSpan.FromHours(1));
            var (next, hasName, requests) = (RunKey.New("run"), false, 0);
            _server.Fault = request =>
            {
                // A deletion that is on its way nobody calls back.
                if (request.Method == "DELETE" || Interlocked.Increment(ref requests) != moment + 1) return null;
                _server.Fault = null;
                clock.Ahead += s_sleep;
                _server.Age(s_sleep);
                hasName = TakeAsync(names, next).GetAwaiter().GetResult();
                return null;
            };

            var error = await Record.ExceptionAsync(() => FileRuns.DeleteAsync(new RunFolder(sleepy, "run")));
            came = _server.Fault is null;
            _server.Fault = null;

            if (!hasName) Assert.True(error is null || came, error?.Message);
            else Assert.All(s_files, file => Assert.Equal(BytesOf(file, next, RunState.Running), _objects.ReadAllBytes($"run/{file}")));
            if (error is not IOException) continue;
            Assert.Equal(
                "Run \"run\" is gone, but not all of its files: removing them stood still for 11 minutes, and the name may be another run's by now. What is left in s3://ensemble/runs/run goes with the next run of that name.",
                error.Message);
            told++;
        }

        Assert.InRange(told, 2, int.MaxValue);
    }

    [Fact]
    public async Task A_removal_whose_process_ended_keeps_a_name_for_minutes_and_goes_on_with_the_next_run_of_it()
    {
        Write(RunKey.New("run"), RunState.Completed);
        var deletions = 0;
        _server.Fault = request => request.Method == "DELETE" && Interlocked.Increment(ref deletions) > 3 ? new ObjectFault(403, "AccessDenied") : null;
        await Assert.ThrowsAsync<IOException>(() => FileRuns.DeleteAsync(new RunFolder(_objects, "run")));
        _server.Fault = null;

        Assert.Null(await new ObjectRunStore(_options).ClaimAsync(RunKey.New("run")));
        _server.Age(TimeSpan.FromHours(1));
        Assert.NotNull(await new ObjectRunStore(_options).ClaimAsync(RunKey.New("run")));
        Assert.Equal(["runs/run/claim"], _server.Names);
    }

    [Fact]
    public async Task A_run_is_removed_from_a_store_that_has_no_room_for_a_mark()
    {
        Write(RunKey.New("run"), RunState.Completed);
        _server.Fault = request => request.Method == "PUT" ? new ObjectFault(507, "InsufficientStorage") : null;

        await FileRuns.DeleteAsync(new RunFolder(_objects, "run"));

        Assert.Empty(_server.Names);
    }

    [Fact]
    public async Task A_run_that_has_just_taken_its_name_is_not_removed()
    {
        using var held = await new ObjectRunStore(_options).ClaimAsync(RunKey.New("run"));
        _objects.Write("run/spec.json", new byte[3]);

        var error = await Assert.ThrowsAsync<RunRejectedException>(() => FileRuns.DeleteAsync(new RunFolder(_objects, "run")));

        Assert.Equal("Run \"run\" is in training.", error.Message);
        Assert.Equal(["runs/run/claim", "runs/run/spec.json"], _server.Names);
    }

    private async Task RemoveAsync()
    {
        try
        {
            await FileRuns.DeleteAsync(new RunFolder(_objects, "run"));
        }
        catch (RunRejectedException exception)
        {
            Assert.Contains(exception.Message, (string[])["Run \"run\" is in training.", "There is no run \"run\" in s3://ensemble/runs."]);
        }
    }

    /// <summary>Before each request of a removal another run tries to take the name, and at each request of one that takes it the removal comes.</summary>
    private async Task WhateverComesBetweenAsync(IRunOwnership names, Func<Task> removeAsync, Func<Task> beginAsync)
    {
        foreach (var isRemovedBetween in (bool[])[false, true])
        {
            for (var (moment, came) = (0, true); came; moment++)
            {
                foreach (var name in _server.Names) _objects.Delete(name["runs/".Length..]);
                Write(RunKey.New("run"), RunState.Completed);
                await beginAsync();
                var (next, hasName) = (RunKey.New("run"), false);
                Func<Task> takeAsync = async () => hasName = await TakeAsync(names, next);

                came = await BetweenAsync(moment, isRemovedBetween ? takeAsync : removeAsync, isRemovedBetween ? removeAsync : takeAsync);

                if (!hasName) continue;
                foreach (var file in s_files) Assert.Equal(BytesOf(file, next, RunState.Running), _objects.ReadAllBytes($"run/{file}"));
            }

            // Afterwards it is free.
            if (!isRemovedBetween) Assert.True(await TakeAsync(names, RunKey.New("run")));
        }
    }

    /// <summary>Does one thing, and another one within, before one of its requests.</summary>
    /// <returns>Whether there were so many requests.</returns>
    private async Task<bool> BetweenAsync(int moment, Func<Task> oneAsync, Func<Task> otherAsync)
    {
        var requests = 0;
        _server.Fault = _ =>
        {
            if (Interlocked.Increment(ref requests) != moment + 1) return null;
            _server.Fault = null;
            otherAsync().GetAwaiter().GetResult();
            return null;
        };
        await oneAsync();
        var came = _server.Fault is null;
        _server.Fault = null;
        return came;
    }

    private async Task<bool> TakeAsync(IRunOwnership names, RunKey run)
    {
        if (await names.ClaimAsync(run) is null) return false;
        Write(run, RunState.Running);
        return true;
    }

    /// <summary>The time of day, which can jump, and timers that do not: those of a process that slept all end at once.</summary>
    private sealed class SettableClock : TimeProvider
    {
        public TimeSpan Ahead { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
    }

    private void Write(RunKey run, RunState state)
    {
        foreach (var file in s_files) _objects.Write($"run/{file}", BytesOf(file, run, state));
    }

    private static byte[] BytesOf(string file, RunKey run, RunState state)
    {
        if (file != RunFolder.StatusFile) return Encoding.UTF8.GetBytes($"{file} of {run}");
        var record = RecordSamples.New() with { State = state };
        return Encoding.UTF8.GetBytes(RunStatusJson.ToJson(new RunProgress().From(record).Project(run, record, isUnderWay: state == RunState.Running, TimeSpan.Zero)));
    }
}
