using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using DistributedEnsemble.Benchmarks.Endurance;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Lanes;
using DistributedEnsemble.Grains.Telemetry;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.TestingHost;
using StackExchange.Redis;

namespace DistributedEnsemble.Benchmarks.Scaling;

/// <summary>
/// A run of many members on many silos in one process, with a real Redis and without training: what coordinator, scheduler and store
/// cost for each member.
/// </summary>
internal sealed class ScalingBenchmark(int silos, int snapshots)
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(2), s_patience = TimeSpan.FromMinutes(2);

    public async Task<object> RunAsync(IReadOnlyList<int> members)
    {
        var results = new List<Measured>();
        // What the runtime compiles once is no cost of a member.
        await MeasureAsync(members[0]);
        foreach (var count in members)
        {
            results.Add(await MeasureAsync(count));
            Console.Error.WriteLine(results[^1]);
        }

        var (least, most) = (results[0], results[^1]);
        return new
        {
            Silos = silos, SnapshotsPerMember = snapshots, Runs = results,
            // Of what a member costs among the most, to what it costs among the fewest.
            Ratios = new
            {
                CoordinatorMicroseconds = Ratio(most.CoordinatorMicrosecondsPerMember, least.CoordinatorMicrosecondsPerMember),
                SchedulerMicroseconds = Ratio(most.SchedulerMicrosecondsPerMember, least.SchedulerMicrosecondsPerMember),
                Messages = Ratio(most.MessagesPerMember, least.MessagesPerMember),
                RecordBytes = Ratio(most.RedisBytesPerSnapshot, least.RedisBytesPerSnapshot),
            },
            LoadAverage = Neighbours.LoadAverage(),
        };
    }

    private static double Ratio(double most, double least) => Math.Round(most / least, 3);

    private async Task<Measured> MeasureAsync(int members)
    {
        var folder = Directory.CreateTempSubdirectory("ensemble-benchmark-").FullName;
        var port = LoopbackPort.Free();
        await using var redis = new LocalProcess("redis-server", ["--port", $"{port}", "--bind", "127.0.0.1", "--dir", folder, "--appendonly", "yes", "--appendfsync", "always", "--save", ""]);
        await redis.SaysAsync("Ready to accept connections");
        using var connection = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{port}");
        try
        {
            Console.Error.WriteLine($"{members} members");
            return await MeasureAsync(members, Path.Combine(folder, "runs"), connection);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task<Measured> MeasureAsync(int members, string runs, IConnectionMultiplexer redis)
    {
        Directory.CreateDirectory(runs);
        using var counted = new Counted();
        var begin = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var lanes = new ConcurrentDictionary<string, SimulatedLanes>();
        await using var cluster = Build(members, runs, redis, counted, begin.Task, lanes);
        var deploying = Stopwatch.GetTimestamp();
        await cluster.DeployAsync();
        Console.Error.WriteLine($"{silos} silos in {Stopwatch.GetElapsedTime(deploying).TotalSeconds:F1} s");
        var scheduler = cluster.Client.GetGrain<IScheduler>(IScheduler.Key);
        // Each silo has announced itself: a first run of one member is placed.
        await Task.Delay(TimeSpan.FromSeconds(3));
        var (before, processor) = (Managed(), Process.GetCurrentProcess().TotalProcessorTime);
        counted.Reset();

        var since = Stopwatch.GetTimestamp();
        var run = await scheduler.SubmitAsync(new Submission($$"""
            { "name": "many", "members": {{members}}, "data": { "dataset": "two-moons" }, "model": { "hidden": [4] }, "training": { "epochs": 1 },
              "snapshots": { "perMember": {{snapshots}} } }
            """));
        var submitted = Stopwatch.GetElapsedTime(since);
        Console.Error.WriteLine($"submitted {submitted}");
        var coordinator = cluster.Client.GetGrain<ICoordinator>(run.ToString());
        var placed = await WhenPlacedAsync(members, lanes, since) - submitted;
        var placing = counted.Snapshot();
        Console.Error.WriteLine($"placed {placed}");

        // Within a process a silo that dies closes no connection: who asks a grain of it waits in vain until it is declared dead. So those
        // with the scheduler and the coordinator live.
        var management = cluster.Client.GetGrain<IManagementGrain>(0);
        HashSet<SiloAddress?> kept = [await management.GetActivationAddress(scheduler), await management.GetActivationAddress(coordinator)];
        var dead = cluster.Silos.Where(silo => !kept.Contains(silo.SiloAddress)).Take(silos / 10).ToList();
        TimeSpan? again = null;
        if (dead.Count > 0)
        {
            var killed = Stopwatch.GetTimestamp();
            foreach (var silo in dead) lanes[silo.SiloAddress.ToParsableString()].Die();
            await Task.WhenAll(dead.Select(silo => cluster.KillSiloAsync(silo)));
            again = await WhenPlacedAsync(members, lanes, killed);
        }

        Console.Error.WriteLine($"again {again}");
        counted.Reset();
        var training = Stopwatch.GetTimestamp();
        begin.SetResult();
        await WhenCompletedAsync(coordinator, training);
        var trained = Stopwatch.GetElapsedTime(training);
        var counts = counted.Snapshot();
        var memory = Managed() - before;
        var status = await MedianAsync(async () => (await coordinator.GetStatusAsync()).Snapshots.Length == members * snapshots);
        var list = await MedianAsync(async () => (await scheduler.ListAllAsync()).Length > 0);
        return new Measured(
            members, Seconds(submitted), Seconds(placed), again is { } time ? Seconds(time) : null, Seconds(trained),
            Math.Round(counts.Coordinator * 1e6 / members, 1), Math.Round((placing.Scheduler + counts.Scheduler) * 1e6 / members, 1),
            Math.Round((double)(placing.Messages + counts.Messages) / members, 2),
            Math.Round((double)counts.RedisBytes / members / snapshots, 1), Math.Round((double)counts.FileBytes / members / snapshots, 1),
            Math.Round((Process.GetCurrentProcess().TotalProcessorTime - processor).TotalMilliseconds / members, 2),
            Math.Round(memory / 1e6, 1), Math.Round(Process.GetCurrentProcess().WorkingSet64 / 1e6, 1), status, list);
    }

    private InProcessTestCluster Build(
        int members, string runs, IConnectionMultiplexer redis, Counted counted, Task begin, ConcurrentDictionary<string, SimulatedLanes> lanes)
    {
        var builder = new InProcessTestClusterBuilder((short)silos);
        builder.ConfigureSilo((_, silo) =>
        {
            // A tenth of the silos may go.
            var places = (int)Math.Ceiling(members * 1.25 / silos);
            silo.AddEnsembleTraining(options => (options.RunsFolder, options.Lanes) = (runs, places));
            silo.Services.AddRedisRecords(redis);
            silo.Services.AddSingleton<ILaneWorks>(services => lanes.GetOrAdd(
                services.GetRequiredService<ILocalSiloDetails>().SiloAddress.ToParsableString(), _ => new SimulatedLanes(begin, snapshots, s_pause)));
            silo.Configure<ClusterMembershipOptions>(options => (options.ProbeTimeout, options.NumMissedProbesLimit) = (TimeSpan.FromSeconds(2), 2));
            silo.AddIncomingGrainCallFilter(context =>
            {
                if (context.InterfaceMethod.DeclaringType?.Assembly == typeof(ICoordinator).Assembly) counted.AddMessage();
                return context.Invoke();
            });
            silo.ConfigureLogging(logging => logging.SetMinimumLevel(LogLevel.Critical));
        });
        return builder.Build();
    }

    /// <summary>When every member has a lane, by what the silos do: the coordinator gives them in its record before.</summary>
    private static async Task<TimeSpan> WhenPlacedAsync(int members, ConcurrentDictionary<string, SimulatedLanes> silos, long since)
    {
        while (silos.Values.SelectMany(silo => silo.Members).Select(attempt => attempt.Member).Distinct().Count() < members)
        {
            if (Stopwatch.GetElapsedTime(since) > s_patience) throw new InvalidOperationException($"Not every member has a lane after {s_patience}.");
            await Task.Delay(20);
        }

        return Stopwatch.GetElapsedTime(since);
    }

    private static async Task<TimeSpan> WhenCompletedAsync(ICoordinator coordinator, long since)
    {
        while ((await coordinator.GetLoadAsync()).State != RunState.Completed) await Task.Delay(50);
        return Stopwatch.GetElapsedTime(since);
    }

    private static async Task<double> MedianAsync(Func<Task<bool>> ask)
    {
        var times = new List<double>();
        for (var i = 0; i < 9; i++)
        {
            var since = Stopwatch.GetTimestamp();
            if (!await ask()) throw new InvalidOperationException("The cluster answers something else than what was trained.");
            times.Add(Stopwatch.GetElapsedTime(since).TotalMilliseconds);
        }

        return Spread.Of(times).Median;
    }

    /// <summary>Bytes of objects that are in use: the cluster before this one is gone.</summary>
    private static long Managed()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(true);
    }

    private static double Seconds(TimeSpan time) => Math.Round(time.TotalSeconds, 2);

    /// <param name="PlacedSeconds">From the answer to its submission until every member has a lane.</param>
    /// <param name="PlacedAgainSeconds">From the death of a tenth of the silos, until others have their members; null with fewer than ten silos.</param>
    /// <param name="CoordinatorMicrosecondsPerMember">Of a processor, in its turns, from the first snapshot to the end of the run.</param>
    /// <param name="RedisBytesPerSnapshot">Ends of members included.</param>
    /// <param name="ProcessorMillisecondsPerMember">Of the whole process: silos, clients, lanes.</param>
    internal sealed record Measured(
        int Members, double SubmittedSeconds, double PlacedSeconds, double? PlacedAgainSeconds, double TrainedSeconds,
        double CoordinatorMicrosecondsPerMember, double SchedulerMicrosecondsPerMember, double MessagesPerMember,
        double RedisBytesPerSnapshot, double FileBytesPerSnapshot, double ProcessorMillisecondsPerMember,
        double MemoryMegabytes, double ProcessMegabytes, double StatusMilliseconds, double ListMilliseconds);
}

/// <summary>What the silos of this process say of themselves by their meters.</summary>
internal sealed class Counted : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Lock _lock = new();
    private double _coordinator, _scheduler;
    private long _messages, _redis, _files;

    public Counted()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == Measurements.Name && instrument.Name is "ensemble.turn.processor" or "ensemble.record.bytes") listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<double>((_, seconds, tags, _) =>
        {
            lock (_lock)
            {
                if ((string?)tags[0].Value == "coordinator") _coordinator += seconds;
                else _scheduler += seconds;
            }
        });
        _listener.SetMeasurementEventCallback<long>((_, bytes, tags, _) => Interlocked.Add(ref (string?)tags[0].Value == "redis" ? ref _redis : ref _files, bytes));
        _listener.Start();
    }

    public void AddMessage() => Interlocked.Increment(ref _messages);

    public void Reset()
    {
        lock (_lock) (_coordinator, _scheduler, _messages, _redis, _files) = (0, 0, 0, 0, 0);
    }

    public (double Coordinator, double Scheduler, long Messages, long RedisBytes, long FileBytes) Snapshot()
    {
        lock (_lock) return (_coordinator, _scheduler, _messages, _redis, _files);
    }

    public void Dispose() => _listener.Dispose();
}
