using System.Diagnostics;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Benchmarks.Recovery;

/// <summary>What a silo that is killed costs: until its members train again, and of the work of a cluster that loses one each minute.</summary>
/// <param name="done">What a former run of the benchmark has measured already.</param>
/// <param name="save">Keeps what is measured so far.</param>
internal sealed class RecoveryBenchmark(int kills, double minutes, string[] only, RecoveryResults done, Action<RecoveryResults> save)
{
    private const int Silos = 3, SilosAtWork = 4;

    /// <summary>So many that lanes are all taken through several kills; the next run takes the place of one that has few left.</summary>
    private const int MembersThatWait = 400, FewWaiting = 150;

    private const string Free = "free", Waiting = "waiting", Work = "goodput", Stalls = "stalls";

    /// <summary>Of a member of a run whose lanes are all taken.</summary>
    private static readonly TimeSpan s_member = TimeSpan.FromSeconds(0.5), s_betweenKills = TimeSpan.FromMinutes(1);

    private RecoveryResults _results = done;

    public async Task<RecoveryResults> RunAsync()
    {
        if (Measures(Free)) await MeasureFreeAsync();
        if (Measures(Waiting)) await MeasureWaitingAsync();
        if (Measures(Work)) Keep(_results with { Goodput = new Goodput(SilosAtWork, minutes, await WorkAsync(kills: false), await WorkAsync(kills: true)) });
        if (Measures(Stalls)) foreach (var stall in CheckpointStall.MeasureAll()) Keep(_results.With(await stall));
        return _results;
    }

    private bool Measures(string part) => only.Length == 0 || only.Contains(part);

    private void Keep(RecoveryResults results) => save(_results = results);

    /// <summary>A member on each silo, and a lane of each that is free.</summary>
    private async Task MeasureFreeAsync()
    {
        await using var cluster = await KilledCluster.StartAsync(Silos, lanes: 2);
        await cluster.SubmitAsync(Spec("free", Silos, epochs: 1_000_000));
        for (var kill = 1; kill <= kills; kill++)
        {
            var before = await cluster.WhenAsync("free", run => run.Members.All(IsStepping));
            var recovery = await KillAsync(cluster, "free", before, kill % Silos);
            Console.Error.WriteLine($"free lanes, kill {kill} of {kills}: {recovery}");
            Keep(_results with { Free = _results.Free.Add(recovery) });
        }

        await cluster.EndAsync();
    }

    /// <summary>A member on each lane, and many more that wait: one that was lost is the next that gets a lane.</summary>
    private async Task MeasureWaitingAsync()
    {
        await using var cluster = await KilledCluster.StartAsync(Silos, lanes: 1);
        var epochs = await EpochsOfAsync(cluster);
        var (run, runs) = (await SubmitAsync(1), 1);
        for (var kill = 1; kill <= kills;)
        {
            var number = kill % Silos;
            // Before a member is seen on the silo that has just come back there is nothing to lose there.
            var before = await cluster.WhenAsync(run, status => status.HasEnded || cluster.Silos.All(silo => status.Members.Any(member => member.Silo == silo.Endpoint && member.State == MemberState.Training))
                && status.Members.Any(member => member.Silo == cluster.Silos[number].Endpoint && IsStepping(member)));
            if (!before.HasEnded)
            {
                var recovery = await KillAsync(cluster, run, before, number);
                Console.Error.WriteLine($"waiting lanes, kill {kill++} of {kills}: {recovery}");
                Keep(_results with { Waiting = _results.Waiting.Add(recovery) });
                if (before.Members.Count(member => member.State == MemberState.Waiting) >= FewWaiting) continue;
                await cluster.StopAsync(run);
            }

            run = await SubmitAsync(++runs);
        }

        await cluster.EndAsync();

        async Task<string> SubmitAsync(int number)
        {
            await cluster.SubmitAsync(Spec($"waiting-{number}", MembersThatWait, epochs));
            return $"waiting-{number}";
        }
    }

    /// <summary>Kills a silo, which is started again at once.</summary>
    /// <returns>What comes until a member that was lost has made a step elsewhere, as its coordinator sees it.</returns>
    private static async Task<Recovery> KillAsync(KilledCluster cluster, string run, RunStatus before, int number)
    {
        var endpoint = cluster.Silos[number].Endpoint;
        var lost = before.Members.Where(member => member.State == MemberState.Training && member.Silo == endpoint).ToDictionary(member => member.Index, member => member.Attempt);
        // Two members may have come to one silo, and another has none: then the silo of any member.
        if (lost.Count == 0)
        {
            var member = before.Members.First(member => member.State == MemberState.Training);
            return await KillAsync(cluster, run, before, cluster.Silos.Index().First(silo => silo.Item.Endpoint == member.Silo).Index);
        }

        var others = cluster.Silos.Where(silo => silo.Endpoint != endpoint).Select(silo => (silo.Process, silo.Process.Said.Count)).ToList();
        var (killed, recovery) = (Stopwatch.GetTimestamp(), new Recovery());
        cluster.Kill(number);
        var restarted = cluster.StartAsync(number);
        await cluster.WhenAsync(run, status =>
        {
            recovery = recovery.Seen(Math.Round(Stopwatch.GetElapsedTime(killed).TotalSeconds, 3), [.. status.Members.Where(member => lost.ContainsKey(member.Index))], lost);
            return recovery.Stepped is not null;
        });
        // What the others said of one that took long explains it.
        if (!recovery.IsQuick) foreach (var (process, said) in others) Console.Error.WriteLine(string.Join('\n', process.Said.Skip(said)));
        await restarted;
        return recovery;
    }

    /// <summary>Such that a member takes about as long as it is to.</summary>
    private static async Task<int> EpochsOfAsync(KilledCluster cluster)
    {
        const int Epochs = 300;
        await cluster.SubmitAsync(Spec("calibration", 2, Epochs));
        var run = await cluster.WhenAsync("calibration", run => run.HasEnded);
        return Math.Max(1, (int)(Epochs * s_member.TotalSeconds / run.TrainSeconds));
    }

    /// <returns>Steps per second of the members' way to where they are at the end: what was trained again does not count.</returns>
    private async Task<double> WorkAsync(bool kills)
    {
        await using var cluster = await KilledCluster.StartAsync(SilosAtWork, lanes: 1);
        await cluster.SubmitAsync(Spec("work", SilosAtWork, epochs: 1_000_000));
        var from = await cluster.WhenAsync("work", run => run.Members.All(IsStepping));
        var (begun, number) = (Stopwatch.GetTimestamp(), 0);
        for (var next = s_betweenKills / 2; ; next += s_betweenKills)
        {
            var end = TimeSpan.FromMinutes(minutes);
            var wait = (next < end && kills ? next : end) - Stopwatch.GetElapsedTime(begun);
            if (wait > TimeSpan.Zero) await Task.Delay(wait);
            if (next >= end || !kills) break;
            cluster.Kill(number % SilosAtWork);
            await cluster.StartAsync(number++ % SilosAtWork);
        }

        var to = await cluster.WhenAsync("work", _ => true);
        var rate = Math.Round((to.Steps - from.Steps) / Stopwatch.GetElapsedTime(begun).TotalSeconds, 1);
        await cluster.EndAsync();
        Console.Error.WriteLine($"{rate:F0} steps per second {(kills ? "with a kill each minute" : "without kills")}");
        return rate;
    }

    /// <summary>It has made a step under its present attempt.</summary>
    private static bool IsStepping(MemberStatus member) => Recovery.IsStepping(member);

    private static string Spec(string name, int members, int epochs) => $$"""
        { "name": "{{name}}", "members": {{members}}, "data": { "dataset": "digits" }, "model": { "kind": "mlp", "hidden": [64] },
          "training": { "epochs": {{epochs}}, "batchSize": 128 } }
        """;
}
