using System.Diagnostics;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;
using static TorchSharp.torch;

namespace DistributedEnsemble.Benchmarks.Steps;

/// <summary>
/// Member-steps per second of two threads, Fashion-MNIST, mlp [256], dropout ½, batches of 128. Each round measures every
/// variant once, one after another and each round in another order, so that what else the machine does meets all of them;
/// ratios are taken within a round. Steps per second of processor time tell more than those of the clock where a machine has
/// other work too.
/// </summary>
internal sealed class StepBenchmark(string? data, int rounds, int epochs, string[] only)
{
    private const int Lanes = 2, WarmUp = 30;
    private const string Run = "run", Library = "library", Libtorch = "libtorch", Plain = "plain";

    private readonly Preloaded _data = Preloaded.FashionMnist(data);

    public async Task<object> RunAsync()
    {
        string[] variants = only is [] ? [Run, Library, Libtorch, Plain] : only;
        var plan = Plan(KernelKind.Own);
        var onLibtorch = Plan(KernelKind.Libtorch);
        await using var silo = await TemporarySilo.StartAsync(_data, Lanes);
        var rates = variants.ToDictionary(variant => variant, _ => new List<Rate>());
        // Round 0 is not counted: its methods are still being compiled.
        for (var round = 0; round <= rounds; round++)
        {
            foreach (var variant in variants.Skip(round % variants.Length).Concat(variants.Take(round % variants.Length)))
            {
                var rate = variant switch
                {
                    Run => await RunGrainsAsync(silo, $"round-{round}"),
                    Library => Measure(plan.Of(0).Steps, member => new LibraryLoop(plan, member)),
                    Libtorch => Measure(plan.Of(0).Steps, member => new LibraryLoop(onLibtorch, member)),
                    Plain => Measure(plan.Of(0).Steps, _ => new PlainLoop(plan, PlainModules.Mlp(0.5, 784, 256, 10))),
                    _ => throw new ArgumentException($"{variant} is no variant: there are {Run}, {Library}, {Libtorch} and {Plain}."),
                };
                Console.Error.WriteLine($"round {round} of {rounds}: {variant} {rate.PerSecond:F0} member-steps/s, {rate.PerCoreSecond:F0} per second of a core");
                if (round > 0) rates[variant].Add(rate);
            }
        }

        return new
        {
            Benchmark = "step",
            Work = $"fashion-mnist, mlp [256], dropout 0.5, sgd with momentum, batch 128, {Lanes} threads, {plan.Of(0).Steps} steps each, {rounds} rounds",
            Variants = new Dictionary<string, string>
            {
                [Run] = "a run of two members through grains on an embedded silo, as its status reports it",
                [Library] = "MemberTraining on two threads: what the lanes of that run do",
                [Libtorch] = "the same with training.kernels libtorch",
                [Plain] = "TorchSharp as its examples write it: Sequential, nn.Dropout, torch.optim.SGD, index_select",
            }.Where(entry => variants.Contains(entry.Key)).ToDictionary(),
            MemberStepsPerSecond = rates.ToDictionary(entry => entry.Key, entry => Spread.Of(entry.Value.Select(rate => rate.PerSecond))),
            MemberStepsPerCoreSecond = rates.ToDictionary(entry => entry.Key, entry => Spread.Of(entry.Value.Select(rate => rate.PerCoreSecond))),
            Ratios = Ratios(rates, rate => rate.PerSecond),
            RatiosPerCoreSecond = Ratios(rates, rate => rate.PerCoreSecond),
        };
    }

    private TrainingPlan Plan(KernelKind kernels) => new(
        SpecDocument.Parse(Spec("step")).With("training.kernels", kernels == KernelKind.Own ? "own" : "libtorch").Resolve(_data.Defaults), _data.Dataset,
        new NetworkRegistry());

    private static Dictionary<string, Spread> Ratios(Dictionary<string, List<Rate>> rates, Func<Rate, double> of) =>
        rates.Where(ours => ours.Key is Run or Library)
            .SelectMany(ours => rates.Where(other => other.Key is Libtorch or Plain).Select(other => (
                Name: $"{ours.Key}/{other.Key}", Spread: Spread.Of(ours.Value.Zip(other.Value, (one, two) => of(one) / of(two))))))
            .ToDictionary(ratio => ratio.Name, ratio => ratio.Spread);

    /// <summary>Both threads begin together; the time is that of the later one.</summary>
    private static Rate Measure(int steps, Func<int, IStepLoop> create)
    {
        using var start = new Barrier(Lanes + 1);
        Thread[] threads = [.. Enumerable.Range(0, Lanes).Select(member => new Thread(() =>
        {
            set_num_threads(1);
            using var loop = create(member);
            for (var step = 0; step < WarmUp; step++) loop.Step();
            start.SignalAndWait();
            for (var step = 0; step < steps; step++) loop.Step();
        }))];
        foreach (var thread in threads) thread.Start();
        start.SignalAndWait();
        var (clock, processor) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime);
        foreach (var thread in threads) thread.Join();
        return new Rate(Lanes * steps, clock.Elapsed.TotalSeconds, Environment.CpuUsage.TotalTime - processor);
    }

    private async Task<Rate> RunGrainsAsync(TemporarySilo silo, string name)
    {
        var processor = Environment.CpuUsage.TotalTime;
        var status = await silo.TrainAsync(Spec(name));
        return new Rate(status.Steps, status.TrainSeconds, Environment.CpuUsage.TotalTime - processor);
    }

    private string Spec(string name) => $$"""
        {
          "name": "{{name}}", "members": {{Lanes}},
          "data": { "dataset": "{{Preloaded.DatasetName}}" },
          "model": { "kind": "mlp", "hidden": [256] },
          "training": { "epochs": {{epochs}}, "batchSize": 128, "optimizer": { "kind": "sgd", "momentum": 0.9 } },
          "regularization": { "dropout": { "rate": 0.5 } }
        }
        """;
}

/// <summary>How fast steps were done.</summary>
internal readonly record struct Rate(long Steps, double Seconds, TimeSpan Processor)
{
    public double PerSecond => Steps / Seconds;
    public double PerCoreSecond => Steps / Processor.TotalSeconds;
}
