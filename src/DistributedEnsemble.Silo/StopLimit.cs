using System.Diagnostics;
using DistributedEnsemble.Serving.Processes;
using StackExchange.Redis;

namespace DistributedEnsemble.Silo;

/// <summary>
/// How long a silo that is asked to stop may take. What it waits for may never come: a Redis that is gone, a neighbour that is dead.
/// A silo that ends before has lost no more than one that is killed: the others go on from what the records name.
/// </summary>
internal sealed class StopLimit : IDisposable
{
    /// <summary>A start that is not at its end by then comes to none.</summary>
    private static readonly TimeSpan s_start = TimeSpan.FromSeconds(1.5);

    /// <summary>Without Redis no checkpoint is named, and nobody hears that the silo leaves.</summary>
    private static readonly TimeSpan s_withoutRedis = TimeSpan.FromSeconds(5);

    /// <summary>For what follows when members have handed over, or had their time for it.</summary>
    private static readonly TimeSpan s_afterHandOver = TimeSpan.FromSeconds(60);

    /// <summary>Beyond everything that has a limit of its own.</summary>
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan s_betweenPings = TimeSpan.FromMilliseconds(200);

    private readonly Interruption _stop;
    private readonly CancellationTokenRegistration _asked;
    private readonly CancellationTokenSource _end = new();
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private (IConnectionMultiplexer? Redis, TimeSpan HandOver) _silo;

    public StopLimit(Interruption stop)
    {
        _stop = stop;
        _asked = stop.Token.Register(() => _ = Task.Run(WatchAsync));
    }

    public bool HasStarted => _started.Task.IsCompleted;

    /// <summary>How long the host of a silo may take whose members have so long to hand over.</summary>
    public static TimeSpan OfHost(TimeSpan handOver) => handOver + s_afterHandOver;

    /// <param name="redis">That of the cluster; null is none.</param>
    /// <param name="handOver">How long members have for their checkpoints.</param>
    public void Started(IConnectionMultiplexer? redis, TimeSpan handOver)
    {
        _silo = (redis, handOver);
        _started.TrySetResult();
    }

    public void Dispose()
    {
        _asked.Dispose();
        _end.Cancel();
    }

    private async Task WatchAsync()
    {
        if (await Task.WhenAny(_started.Task, DelayAsync(s_start)) != _started.Task) End(_stop.ExitCode, SiloCommand.StoppedBefore);
        var most = OfHost(_silo.HandOver) + s_grace;
        var whole = DelayAsync(most);
        var lost = _silo.Redis is { } redis ? LosesAsync(redis) : whole;
        if (await Task.WhenAny(lost, whole) == whole) End(ExitCode.Failed, $"This silo has not come to its end within {most.TotalSeconds:0} s: it ends as it is.");
        else End(ExitCode.Ok, $"Redis has not answered for {s_withoutRedis.TotalSeconds:0} s: this silo ends as it is, and the others miss it within seconds.");
    }

    /// <summary>Ends when Redis has not answered for too long.</summary>
    private async Task LosesAsync(IConnectionMultiplexer redis)
    {
        var heard = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(heard) is var silence && silence < s_withoutRedis)
        {
            try
            {
                await redis.GetDatabase().PingAsync().WaitAsync(s_withoutRedis - silence, _end.Token);
                heard = Stopwatch.GetTimestamp();
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException or ObjectDisposedException)
            {
                // It may come back.
            }

            await DelayAsync(s_betweenPings);
        }
    }

    private Task DelayAsync(TimeSpan time) => Task.Delay(time, _end.Token);

    private void End(int exitCode, string because)
    {
        if (_end.IsCancellationRequested) return;
        Console.Error.WriteLine(because);
        Console.Error.Flush();
        ProcessEnd.AtOnce(exitCode);
    }
}
