using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace DistributedEnsemble.Benchmarks.Recovery;

/// <summary>What was measured, in one run of the benchmark or several.</summary>
/// <param name="Free">Each kill, where other silos have a free lane.</param>
/// <param name="Waiting">The same, where a lost member waits until a lane is free.</param>
internal sealed record RecoveryResults(ImmutableArray<Recovery> Free, ImmutableArray<Recovery> Waiting, Goodput? Goodput, ImmutableArray<Stall> Stalls)
{
    /// <summary>Seconds that half of the recoveries may take.</summary>
    private const double MostOfHalf = 2.5;

    private static readonly (string Name, Func<Recovery, double?> Of, Func<Recovery, double, Recovery> With)[] s_phases =
    [
        ("answered", recovery => recovery.Answered, (recovery, seconds) => recovery with { Answered = seconds }),
        ("noticed", recovery => recovery.Noticed, (recovery, seconds) => recovery with { Noticed = seconds }),
        ("placed", recovery => recovery.Placed, (recovery, seconds) => recovery with { Placed = seconds }),
        ("stepped", recovery => recovery.Stepped, (recovery, seconds) => recovery with { Stepped = seconds }),
    ];

    public static RecoveryResults None { get; } = new([], [], null, []);

    /// <summary>Those of a file that the benchmark wrote; none without one.</summary>
    public static RecoveryResults Of(FileInfo file)
    {
        if (!file.Exists) return None;
        var result = JsonNode.Parse(File.ReadAllText(file.FullName))!["result"]!;
        return new RecoveryResults(
            Recoveries(result["freeLanes"]), Recoveries(result["waitingLanes"]),
            result["goodput"].Deserialize<Goodput>(JsonSerializerOptions.Web), [.. result["checkpointStalls"].Deserialize<Stall[]>(JsonSerializerOptions.Web) ?? []]);
    }

    public RecoveryResults With(Stall stall) => this with { Stalls = [.. Stalls.Where(other => other.Parameters != stall.Parameters), stall] };

    public object Report() => new
    {
        FreeLanes = Report(Free), WaitingLanes = Report(Waiting), Goodput, CheckpointStalls = Stalls,
        LoadAverage = Neighbours.LoadAverage(),
    };

    private static object? Report(ImmutableArray<Recovery> recoveries)
    {
        if (recoveries.IsEmpty) return null;
        var stepped = recoveries.Select(recovery => recovery.Stepped!.Value).ToImmutableArray();
        return new
        {
            Kills = recoveries.Length, P50 = Percentile(stepped, 0.5), P99 = Percentile(stepped, 0.99), Most = stepped.Max(),
            IsMet = Percentile(stepped, 0.5) <= MostOfHalf && Percentile(stepped, 0.99) <= Recovery.MostOfNearlyAll,
            // Seconds from each kill until somebody answers for the run, a member is known to be lost, has a lane, and makes a step.
            Phases = s_phases.ToDictionary(phase => phase.Name, phase =>
            {
                var seconds = recoveries.Select(recovery => phase.Of(recovery)!.Value).ToImmutableArray();
                return new { P50 = Percentile(seconds, 0.5), P99 = Percentile(seconds, 0.99), Seconds = seconds };
            }),
        };
    }

    private static ImmutableArray<Recovery> Recoveries(JsonNode? report)
    {
        if (report is null) return [];
        var recoveries = new Recovery[report["kills"]!.GetValue<int>()];
        Array.Fill(recoveries, new Recovery());
        foreach (var phase in s_phases)
        {
            var seconds = report["phases"]![phase.Name]!["seconds"]!.AsArray();
            for (var i = 0; i < recoveries.Length; i++) recoveries[i] = phase.With(recoveries[i], seconds[i]!.GetValue<double>());
        }

        return [.. recoveries];
    }

    /// <summary>The least value that at least this share does not exceed.</summary>
    private static double Percentile(ImmutableArray<double> values, double share) =>
        values.Sort()[Math.Clamp((int)Math.Ceiling(share * values.Length) - 1, 0, values.Length - 1)];
}

/// <summary>Steps per second that are not trained again.</summary>
/// <param name="Silos">Each with one lane and one member; one after another is killed, and started again.</param>
/// <param name="Minutes">How long each was measured.</param>
internal sealed record Goodput(int Silos, double Minutes, double Undisturbed, double WithOneKillPerMinute)
{
    public double Ratio => Math.Round(WithOneKillPerMinute / Undisturbed, 3);

    public bool IsMet => Ratio >= 0.9;
}

/// <summary>How long a lane waits for its checkpoints.</summary>
/// <param name="StallSeconds">By which the step that a checkpoint is copied beside is longer than others, with what it takes to begin it (median).</param>
/// <param name="CopySeconds">All of the copy (median).</param>
/// <param name="WriteSeconds">Behind it: the file, its hash, its flush (median).</param>
/// <param name="Share">Of a lane's time, with a checkpoint as often as the defaults say.</param>
internal sealed record Stall(long Parameters, string Network, int EverySeconds, double StallSeconds, double CopySeconds, double WriteSeconds, double Share)
{
    public bool IsMet => Share <= 0.01;
}
