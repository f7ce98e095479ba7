using System.Diagnostics;
using System.Text;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Benchmarks.Recovery;

/// <summary>What a member waits for its checkpoints, with the defaults: SGD with momentum, whose state is as large as the weights.</summary>
internal static class CheckpointStall
{
    private const int Times = 7;

    /// <summary>Hidden layers of networks with 0.2, 11 and 100 million parameters.</summary>
    private static readonly int[][] s_networks = [[447, 447], [3315, 3315], [9998, 9998]];

    public static IEnumerable<Task<Stall>> MeasureAll() => s_networks.Select(MeasureAsync);

    private static async Task<Stall> MeasureAsync(int[] hidden)
    {
        var source = new TwoMoons();
        var network = $"mlp [{string.Join(", ", hidden)}]";
        var spec = SpecDocument.Parse($$"""{ "name": "stalls", "members": 1, "model": { "hidden": [{{string.Join(", ", hidden)}}] } }""").Resolve(source.Defaults);
        var plan = new TrainingPlan(spec, source.Load(new DataFolders(null)), new NetworkRegistry());
        var folder = Directory.CreateTempSubdirectory("ensemble-benchmark-").FullName;
        try
        {
            using var training = new MemberTraining(plan, 0);
            // What the first step compiles and allocates is no stall.
            training.Advance();
            var run = new RunFolder(folder, spec.Name!);
            // Each file of weights has the hash of its run's spec.
            run.Write(RunFolder.SpecFile, Encoding.UTF8.GetBytes(spec.ToJson()));
            var (steps, stalled, copies, writes) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
            for (var time = 0; time < Times; time++)
            {
                var begun = Stopwatch.GetTimestamp();
                training.Advance();
                var stepped = Stopwatch.GetTimestamp();
                var copying = training.CopyCheckpointAsync();
                var copied = copying.ContinueWith(_ => Stopwatch.GetTimestamp(), TaskScheduler.Default);
                training.Advance();
                stalled.Add(Stopwatch.GetElapsedTime(stepped).TotalSeconds);
                steps.Add(Stopwatch.GetElapsedTime(begun, stepped).TotalSeconds);
                copies.Add(Stopwatch.GetElapsedTime(stepped, await copied).TotalSeconds);
                using var checkpoint = await copying;
                var writing = Stopwatch.GetTimestamp();
                WeightFiles.SaveCheckpoint(run, RunKey.New(spec.Name!), new MemberAttempt(0, 1), checkpoint);
                writes.Add(Stopwatch.GetElapsedTime(writing).TotalSeconds);
            }

            var stop = Math.Max(0, Median(stalled) - Median(steps));
            var stall = new Stall(
                plan.Of(0).Network.Layout.ParameterCount, network, spec.Checkpoints.EverySeconds, Math.Round(stop, 6), Math.Round(Median(copies), 6),
                Math.Round(Median(writes), 3), Math.Round(stop / spec.Checkpoints.EverySeconds, 6));
            Console.Error.WriteLine(stall);
            return stall;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
