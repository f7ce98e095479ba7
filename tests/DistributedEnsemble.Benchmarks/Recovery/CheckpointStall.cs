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

    public static IEnumerable<Stall> MeasureAll() => s_networks.Select(Measure);

    private static Stall Measure(int[] hidden)
    {
        var source = new TwoMoons();
        var network = $"mlp [{string.Join(", ", hidden)}]";
        var spec = SpecDocument.Parse($$"""{ "name": "stalls", "members": 1, "model": { "hidden": [{{string.Join(", ", hidden)}}] } }""").Resolve(source.Defaults);
        var plan = new TrainingPlan(spec, source.Load(new DataFolders(null)), new NetworkRegistry());
        var folder = Directory.CreateTempSubdirectory("ensemble-benchmark-").FullName;
        try
        {
            using var training = new MemberTraining(plan, 0);
            training.Advance();
            var run = new RunFolder(folder, spec.Name!);
            // Each file of weights has the hash of its run's spec.
            run.Write(RunFolder.SpecFile, Encoding.UTF8.GetBytes(spec.ToJson()));
            var (copies, writes) = (new List<double>(), new List<double>());
            for (var time = 0; time < Times; time++)
            {
                var begun = Stopwatch.GetTimestamp();
                using var checkpoint = training.CopyCheckpoint();
                var copied = Stopwatch.GetTimestamp();
                WeightFiles.SaveCheckpoint(run, RunKey.New(spec.Name!), new MemberAttempt(0, 1), checkpoint);
                copies.Add(Stopwatch.GetElapsedTime(begun, copied).TotalSeconds);
                writes.Add(Stopwatch.GetElapsedTime(copied).TotalSeconds);
            }

            var copy = Median(copies);
            var stall = new Stall(
                plan.Of(0).Network.Layout.ParameterCount, network, spec.Checkpoints.EverySeconds, Math.Round(copy, 6), Math.Round(Median(writes), 3),
                Math.Round(copy / spec.Checkpoints.EverySeconds, 6));
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
