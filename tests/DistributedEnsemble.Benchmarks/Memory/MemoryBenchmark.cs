using System.Diagnostics;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Benchmarks.Memory;

/// <summary>
/// What a run on two lanes adds to a process that has libraries and data in memory already, by its number of members. Each
/// number is measured in a process of its own; wide layers make a member's weights (6.5 MB) stand out.
/// </summary>
internal static class MemoryBenchmark
{
    public const string OfMembers = "memory-of";

    private const int Lanes = 2, Hidden = 2048, Parameters = (784 * Hidden) + Hidden + (Hidden * 10) + 10;
    private const double Megabyte = 1e6;

    public static async Task<object> RunAsync(string? data)
    {
        var measured = new List<object>();
        foreach (var members in (int[])[2, 10, 40])
        {
            var bytes = await MeasureInProcessAsync(members, data);
            Console.Error.WriteLine($"{members} members: {bytes}");
            var numbers = bytes.Split(' ').Select(long.Parse).ToArray();
            measured.Add(new
            {
                Members = members,
                PeakMegabytes = numbers[0] / Megabyte,
                OfItGarbageCollectedMegabytes = numbers[1] / Megabyte,
                EndMegabytes = numbers[2] / Megabyte,
                PredictingMegabytes = numbers[3] / Megabyte,
            });
        }

        return new
        {
            Benchmark = "memory",
            Work = $"fashion-mnist (a tenth of the rows), mlp [{Hidden}], dropout 0.5, sgd with momentum, batch 128, {Lanes} lanes, 2 snapshots a member",
            WeightsOfAMemberMegabytes = Parameters * sizeof(float) / Megabyte,
            BeyondDataAndLibraries = measured,
        };
    }

    /// <summary>In this process.</summary>
    /// <returns>
    /// Resident bytes beyond those before the run: the most during it, what of that lay in the managed heap (garbage among it),
    /// what is left after it, and what is left once all its models have predicted a row, which the cache keeps for the next.
    /// </returns>
    public static async Task<string> MeasureAsync(int members, string? data)
    {
        var source = Preloaded.FashionMnist(data);
        await using var silo = await TemporarySilo.StartAsync(source, Lanes);

        // Loads and compiles everything, on a network too small to count.
        await silo.PredictRowAsync(await silo.TrainAsync(Spec("warm-up", members: 2, hidden: 8)));
        var before = Resident();
        var managedBefore = GC.GetTotalMemory(forceFullCollection: false);
        var peak = Now();
        RunStatus status;
        await using (new Timer(_ => peak = Most(peak, Now()), null, 0, 20))
        {
            status = await silo.TrainAsync(Spec("measured", members, Hidden));
        }

        peak = Most(peak, Now());
        var end = Resident();
        await silo.PredictRowAsync(status);
        return $"{peak.Resident - before} {peak.Managed - managedBefore} {end - before} {Resident() - before}";
    }

    private static (long Resident, long Managed) Most((long Resident, long Managed) one, (long Resident, long Managed) other) =>
        other.Resident > one.Resident ? other : one;

    private static (long Resident, long Managed) Now() => (Environment.WorkingSet, GC.GetTotalMemory(forceFullCollection: false));

    private static async Task<string> MeasureInProcessAsync(int members, string? data)
    {
        string[] arguments = [OfMembers, $"{members}", .. data is null ? Array.Empty<string>() : ["--data", data]];
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, arguments) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output.Trim() : throw new InvalidOperationException($"{OfMembers} {members} ended with {process.ExitCode}.");
    }

    private static long Resident()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return Environment.WorkingSet;
    }

    private static string Spec(string name, int members, int hidden) => $$"""
        {
          "name": "{{name}}", "members": {{members}},
          "data": { "dataset": "{{Preloaded.DatasetName}}", "validationFraction": 0.9 },
          "model": { "kind": "mlp", "hidden": [{{hidden}}] },
          "training": { "epochs": 1, "batchSize": 128, "optimizer": { "kind": "sgd", "momentum": 0.9 } },
          "regularization": { "dropout": { "rate": 0.5 } },
          "snapshots": { "perMember": 2 }
        }
        """;
}
