using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace DistributedEnsemble.Benchmarks.Recovery;

/// <summary>What was measured, in one run of the benchmark or several.</summary>
/// <param name="Free">Seconds from each kill to the first new step, where other silos have a free lane.</param>
/// <param name="Waiting">The same, where a lost member waits until a lane is free.</param>
internal sealed record RecoveryResults(ImmutableArray<double> Free, ImmutableArray<double> Waiting, Goodput? Goodput, ImmutableArray<Stall> Stalls)
{
    /// <summary>Seconds that half and ninety-nine of a hundred recoveries may take.</summary>
    private const double MostOfHalf = 2.5, MostOfNearlyAll = 6;

    public static RecoveryResults None { get; } = new([], [], null, []);

    /// <summary>Those of a file that the benchmark wrote; none without one.</summary>
    public static RecoveryResults Of(FileInfo file)
    {
        if (!file.Exists) return None;
        var result = JsonNode.Parse(File.ReadAllText(file.FullName))!["result"]!;
        return new RecoveryResults(
            [.. Seconds("freeLanes")], [.. Seconds("waitingLanes")],
            result["goodput"].Deserialize<Goodput>(JsonSerializerOptions.Web), [.. result["checkpointStalls"].Deserialize<Stall[]>(JsonSerializerOptions.Web) ?? []]);

        IEnumerable<double> Seconds(string name) => result[name]?["seconds"]?.AsArray().Select(seconds => seconds!.GetValue<double>()) ?? [];
    }

    public RecoveryResults With(Stall stall) => this with { Stalls = [.. Stalls.Where(other => other.Parameters != stall.Parameters), stall] };

    public object Report() => new
    {
        FreeLanes = Recoveries(Free), WaitingLanes = Recoveries(Waiting), Goodput, CheckpointStalls = Stalls,
        LoadAverage = Neighbours.LoadAverage(),
    };

    private static object? Recoveries(ImmutableArray<double> seconds) => seconds.IsEmpty ? null : new
    {
        Kills = seconds.Length, P50 = Percentile(seconds, 0.5), P99 = Percentile(seconds, 0.99), Most = seconds.Max(),
        IsMet = Percentile(seconds, 0.5) <= MostOfHalf && Percentile(seconds, 0.99) <= MostOfNearlyAll,
        Seconds = seconds,
    };

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
/// <param name="CopySeconds">The lane waits for the copy alone (median).</param>
/// <param name="WriteSeconds">Behind it: the file, its hash, its flush (median).</param>
/// <param name="Share">Of a lane's time, with a checkpoint as often as the defaults say.</param>
internal sealed record Stall(long Parameters, string Network, int EverySeconds, double CopySeconds, double WriteSeconds, double Share)
{
    public bool IsMet => Share <= 0.01;
}
