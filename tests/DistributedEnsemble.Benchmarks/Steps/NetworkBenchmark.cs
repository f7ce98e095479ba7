using System.Diagnostics;
using DistributedEnsemble.Randomness;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Randomness;
using DistributedEnsemble.Training.Tasks;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Benchmarks.Steps;

/// <summary>
/// A step of each kind of network on one thread, by kernels of our own, by libtorch, and as TorchSharp's examples write it:
/// microseconds of processor time, in turns, and their ratios within a round.
/// </summary>
internal sealed class NetworkBenchmark(string? data, int rounds, string[] only)
{
    private static readonly TimeSpan s_each = TimeSpan.FromMilliseconds(300);

    private static readonly (string Name, string Data, string Model, int BatchSize, double Dropout, Func<Module<Tensor, Tensor>>? Plain)[] s_works =
    [
        (Small, "table", "\"mlp\", \"hidden\": [64]", 32, 0, () => PlainModules.Mlp(0, 30, 64, 3)),
        (Medium, "table", "\"mlp\", \"hidden\": [128, 128]", 32, 0.1, () => PlainModules.Mlp(0.1, 30, 128, 128, 3)),
        ("tabm 30-256-256-3", "table", "\"tabm\", \"hidden\": [256, 256]", 128, 0.1, null),
        ("784-256-10", "fashion-mnist", "\"mlp\", \"hidden\": [256]", 128, 0.5, () => PlainModules.Mlp(0.5, 784, 256, 10)),
        ("784-1024-1024-10", "fashion-mnist", "\"mlp\", \"hidden\": [1024, 1024]", 128, 0.5, () => PlainModules.Mlp(0.5, 784, 1024, 1024, 10)),
        ("lenet of digits", "digits", "\"lenet\"", 32, 0, () => PlainModules.LeNet(8)),
        ("lenet of Fashion-MNIST", "fashion-mnist", "\"lenet\"", 128, 0, () => PlainModules.LeNet(28)),
        ("resnet of digits", "digits", "\"resnet\", \"depth\": 8, \"width\": 16", 32, 0, () => PlainModules.ResNet(16)),
        ("resnet of Fashion-MNIST", "fashion-mnist", "\"resnet\", \"depth\": 8, \"width\": 16", 128, 0, () => PlainModules.ResNet(16)),
    ];

    public const string Small = "30-64-3", Medium = "30-128-128-3";

    public object Run() =>
        new { Benchmark = "networks", Work = $"microseconds of processor time of a step, one thread, {rounds} rounds", Results = Measure() };

    /// <summary>By the network's name.</summary>
    public Dictionary<string, NetworkSteps> Measure()
    {
        set_num_threads(1);
        var datasets = new Dictionary<string, Dataset>
        {
            ["table"] = Table(),
            ["digits"] = new Digits().Load(new DataFolders()),
            ["fashion-mnist"] = Preloaded.FashionMnist(data).Dataset,
        };
        var results = new Dictionary<string, NetworkSteps>();
        foreach (var (name, set, model, batchSize, dropout, network) in s_works.Where(work => only is [] || only.Contains(work.Name)))
        {
            using var own = new LibraryLoop(Plan("own"), 0);
            using var libtorch = new LibraryLoop(Plan("libtorch"), 0);
            using var plain = network is null ? null : new PlainLoop(Plan("own"), network());
            var times = new List<(double Own, double Libtorch, double Plain)>();
            // Round 0 is not counted: its methods are still being compiled.
            for (var round = 0; round <= rounds; round++) times.Add((Measure(own), Measure(libtorch), plain is null ? double.NaN : Measure(plain)));
            times.RemoveAt(0);
            results[name] = new NetworkSteps(
                batchSize, dropout, Spread.Of(times.Select(time => time.Own)), Spread.Of(times.Select(time => time.Libtorch)), Spread.Of(times.Select(time => time.Libtorch / time.Own)),
                plain is null ? null : Spread.Of(times.Select(time => time.Plain)), plain is null ? null : Spread.Of(times.Select(time => time.Plain / time.Own)));
            Console.Error.WriteLine($"{name}: {times[^1].Own:F1}, {times[^1].Libtorch:F1} and {times[^1].Plain:F1} microseconds");

            TrainingPlan Plan(string kernels)
            {
                var spec = $$"""
                    { "model": { "kind": {{model}} }, "data": { "validationFraction": 0 }, "training": { "epochs": 1000, "batchSize": {{batchSize}}, "kernels": "{{kernels}}" },
                      "regularization": { "dropout": {{(dropout > 0 ? $$"""{ "rate": {{dropout}} }""" : "null")}} } }
                    """;
                return new TrainingPlan(SpecDocument.Parse(spec).Resolve(), datasets[set], new NetworkRegistry());
            }
        }

        return results;
    }

    private static double Measure(IStepLoop loop)
    {
        var (steps, clock, before) = (0, Stopwatch.StartNew(), Environment.CpuUsage.TotalTime);
        for (; clock.Elapsed < s_each; steps++) loop.Step();
        return (Environment.CpuUsage.TotalTime - before).TotalMicroseconds / steps;
    }

    /// <summary>2,000 rows of 30 random numbers and three classes.</summary>
    public static Dataset Table()
    {
        const int Rows = 2000, Width = 30;
        var inputs = new NativeVector(Rows * Width);
        new RandomSource(1).Uniform(new Draw(Purpose.Initialization, 0, 0, 0), inputs.Span);
        var samples = new Samples(inputs, [.. Enumerable.Range(0, Rows).Select(row => (float)(row % 3))]);
        return new Dataset
        {
            Name = "table", Sha256 = new string('0', 64), InputShape = [Width], Columns = [.. Enumerable.Range(0, Width).Select(i => $"x{i}")],
            Task = new Classification(["a", "b", "c"]), Preprocessing = Preprocessing.None, Train = samples, Test = samples,
        };
    }
}

/// <summary>Microseconds of a step.</summary>
/// <param name="Ratio">libtorch / own.</param>
/// <param name="PlainRatio">plain / own.</param>
internal sealed record NetworkSteps(int BatchSize, double Dropout, Spread Own, Spread Libtorch, Spread Ratio, Spread? Plain, Spread? PlainRatio);
