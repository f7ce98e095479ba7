using System.Collections.Concurrent;
using System.Diagnostics;

namespace DistributedEnsemble.Benchmarks.Endurance;

/// <summary>
/// Minutes of requests at a share of what a cluster can answer, while one of its silos is killed in the middle: whether every
/// answer is right, none is lost, and memory stays as it is. Requests come at fixed times, whether or not earlier ones are
/// answered, and their latency counts from then.
/// </summary>
internal sealed class EnduranceBenchmark(string? data, double minutes, double share)
{
    private const int Silos = 3, Rows = 500, Clients = 64;

    /// <summary>More requests that wait at once than the servers take.</summary>
    private const int MostWaiting = 4000;

    private static readonly TimeSpan s_capacity = TimeSpan.FromSeconds(15);

    public async Task<object> RunAsync()
    {
        var before = Neighbours.LoadAverage();
        await using var cluster = await ServedCluster.StartAsync(Silos, data);
        using var client = new BalancedClient([.. cluster.Silos.Select(silo => silo.Url)], Verdicts.Of(cluster.RunsFolder, ServedCluster.Run, Rows, data));
        await CapacityAsync(client);
        var capacity = await CapacityAsync(client);
        Console.Error.WriteLine($"{capacity:0} requests/s at {Clients} clients; {share:P0} of it for {minutes} minutes");
        var load = new PacedLoad(client, share * capacity, TimeSpan.FromMinutes(minutes), MostWaiting);
        var memory = new ConcurrentBag<(double Second, int Silo, double Megabytes)>();
        var running = load.RunAsync();
        var killed = KillAsync(cluster, load);
        while (!running.IsCompleted)
        {
            await Task.WhenAny(running, Task.Delay(TimeSpan.FromSeconds(1)));
            foreach (var (silo, i) in cluster.Silos.Select((silo, i) => (silo, i)))
                if (!silo.Process.HasExited) memory.Add((load.Elapsed.TotalSeconds, i, silo.Process.ResidentBytes / 1e6));
        }

        await running;
        return Summary(before, capacity, client, load, memory, await killed);
    }

    /// <summary>Requests per second of clients that ask again as soon as they are answered.</summary>
    private static async Task<double> CapacityAsync(BalancedClient client)
    {
        var (begun, answered) = (Stopwatch.GetTimestamp(), 0);
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(async () =>
        {
            while (Stopwatch.GetElapsedTime(begun) < s_capacity)
            {
                var number = Interlocked.Increment(ref answered);
                if (await client.AskAsync(number) is var verdict and not (Verdict.Whole or Verdict.Partial))
                    throw new InvalidOperationException($"An answer before anything happened was {verdict}: {string.Join(" ", client.Reasons.Keys)}");
            }
        })));
        return answered / Stopwatch.GetElapsedTime(begun).TotalSeconds;
    }

    private static async Task<double> KillAsync(ServedCluster cluster, PacedLoad load)
    {
        await Task.Delay(load.Duration / 2);
        var at = load.Elapsed.TotalSeconds;
        cluster.Silos[^1].Process.Kill();
        Console.Error.WriteLine($"Killed a silo after {at:0.0} s.");
        return at;
    }

    private object Summary(
        double? loadBefore, double capacity, BalancedClient client, PacedLoad load, IEnumerable<(double Second, int Silo, double Megabytes)> memory, double killedAt)
    {
        var outcomes = load.Outcomes.ToList();
        var notWhole = outcomes.Where(outcome => outcome.Verdict != Verdict.Whole).ToList();
        double[] Latencies(double from, double to) =>
            [.. outcomes.Where(outcome => outcome.Due >= from && outcome.Due < to).Select(outcome => outcome.Milliseconds).Order()];
        double At(double[] sorted, double part) => sorted.Length == 0 ? double.NaN : Math.Round(sorted[(int)(part * (sorted.Length - 1))], 2);
        object Latency(double from, double to) => new { P50 = At(Latencies(from, to), 0.5), P99 = At(Latencies(from, to), 0.99), Longest = At(Latencies(from, to), 1) };
        return new
        {
            Silos, ServedCluster.Members, Minutes = minutes,
            LoadAverageBefore = loadBefore,
            CapacityRequestsPerSecond = Math.Round(capacity), RequestsPerSecond = Math.Round(share * capacity),
            Requests = outcomes.Count,
            Verdicts = Enum.GetValues<Verdict>().ToDictionary(verdict => verdict, verdict => outcomes.Count(outcome => outcome.Verdict == verdict)),
            NotSentForTooManyWaiting = load.NotSent,
            AskedAgainElsewhere = client.Repeated,
            Refusals = client.Reasons,
            KilledAtSecond = Math.Round(killedAt, 1),
            SecondsFromTheKillToTheLastAnswerThatWasNotWhole = notWhole.Where(outcome => outcome.Due >= killedAt - 1).Select(outcome => Math.Round(outcome.Due - killedAt, 2)).DefaultIfEmpty(0).Max(),
            NotWholeBeforeTheKill = notWhole.Count(outcome => outcome.Due < killedAt - 1),
            LatencyMilliseconds = new
            {
                BeforeTheKill = Latency(0, killedAt - 1),
                TenSecondsFromTheKill = Latency(killedAt, killedAt + 10),
                After = Latency(killedAt + 10, double.MaxValue),
            },
            ResidentMegabytesByMinute = memory.GroupBy(sample => sample.Silo).OrderBy(silo => silo.Key).Select(silo =>
                silo.GroupBy(sample => (int)(sample.Second / 60)).OrderBy(minute => minute.Key).Select(minute => Spread.Of(minute.Select(sample => sample.Megabytes)).Median)),
        };
    }
}
