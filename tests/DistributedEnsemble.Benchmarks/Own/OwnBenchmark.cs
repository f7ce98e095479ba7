using System.Diagnostics;
using System.Text.Json.Nodes;
using DistributedEnsemble.Benchmarks.Endurance;
using DistributedEnsemble.Benchmarks.Serving;
using DistributedEnsemble.Benchmarks.Steps;
using DistributedEnsemble.Reports.Experiments;
using DistributedEnsemble.Serving.Processes;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Benchmarks.Own;

/// <summary>
/// All goals of our own kernels. Whatever is compared is measured in turns, on one machine in one run; a ratio is taken within a
/// round.
/// </summary>
/// <param name="only">Sections; all of them if empty.</param>
/// <param name="former">A checkout of the program before it had kernels of its own; without one, what it is compared with is left out.</param>
internal sealed class OwnBenchmark(string? data, int rounds, string[] only, string? former, string python)
{
    private const double Turn = 2;

    private readonly List<Goal> _goals = [];
    private readonly Driver? _former = former is null ? null : Driver.Of(former);

    /// <summary>Measures the parts one after another.</summary>
    /// <param name="measured">Is given each part as soon as it is measured.</param>
    /// <exception cref="ArgumentException">There is no part of that name.</exception>
    public async Task RunAsync(ReportOrigin origin, Action<string, OwnPart> measured)
    {
        if (only.Except(OwnFile.Names).FirstOrDefault() is { } other) throw new ArgumentException($"\"{other}\" is no part: there are {string.Join(", ", OwnFile.Names)}.");
        foreach (var name in OwnFile.Names.Where(name => only is [] || only.Contains(name)))
        {
            var load = Neighbours.LoadAverage();
            _goals.Clear();
            var results = name switch
            {
                "former steps" => _former is null ? null : FormerSteps(_former),
                "steps" => Steps(),
                "products" => Products(),
                "program" => Program(),
                "grains" => await GrainsAsync(),
                "silos" => await SilosAsync(),
                "serving" => _former is null ? null : await ServingAsync(_former),
                "threads" => Threads(),
                "bfloat16" => _former is null ? null : Bfloat16(_former),
                _ => Others(),
            };
            if (results is null) Console.Error.WriteLine($"{name}: not measured without --former, or the other programs of --python.");
            else measured(name, new OwnPart(origin, load, rounds, [.. _goals], results));
        }
    }

    private Dictionary<string, NetworkSteps> Steps()
    {
        var steps = new NetworkBenchmark(data, rounds, []).Measure();
        foreach (var (network, least) in new[]
        {
            ("784-256-10", 1.8), ("784-1024-1024-10", 1.2), ("lenet of digits", 4), ("lenet of Fashion-MNIST", 1.5), ("resnet of digits", 1), ("resnet of Fashion-MNIST", 1),
        })
        {
            _goals.Add(Goal.Least($"step of {network}: plain TorchSharp's microseconds / ours", least, steps[network].PlainRatio!));
        }

        return steps;
    }

    /// <summary>By the clock: two threads of one member.</summary>
    private Dictionary<string, object> Threads()
    {
        var fashion = Preloaded.FashionMnist(data).Dataset;
        var results = new Dictionary<string, Spread>();
        foreach (var (name, dataset, model) in new[]
        {
            ("784-1024-1024-10", fashion, "\"mlp\", \"hidden\": [1024, 1024]"), ("lenet of digits", new Digits().Load(new DataFolders()), "\"lenet\""), ("lenet of Fashion-MNIST", fashion, "\"lenet\""),
        })
        {
            using var one = new LibraryLoop(Plan(1), 0);
            using var two = new LibraryLoop(Plan(2), 0);
            results[name] = Spread.Of(InTurns(() => PerSecond(two), () => PerSecond(one)));
            _goals.Add(Goal.Beside($"steps a second of {name} with threadsPerMember 2 / 1", results[name]));

            TrainingPlan Plan(int threads) => new(SpecDocument.Parse($$"""
                { "threadsPerMember": {{threads}}, "model": { "kind": {{model}} }, "training": { "epochs": 1000, "batchSize": {{(dataset == fashion ? 128 : 32)}} } }
                """).Resolve(), dataset, new NetworkRegistry());
        }

        return new Dictionary<string, object> { ["steps a second with threadsPerMember 2 / 1"] = results };
    }

    private Dictionary<string, Spread> Products()
    {
        var results = new Dictionary<string, Spread>();
        foreach (var (batch, outputs, inputs) in new[] { (128, 256, 784), (128, 1024, 1024) })
        {
            using var speed = new ProductSpeed(batch, outputs, inputs);
            foreach (var (role, measure) in new (string, Func<double>)[]
            {
                ("forward", speed.Forward), ("gradient of the inputs", speed.InputGradient), ("gradient of the weights", speed.WeightGradient),
            })
            {
                var name = $"product {batch}×{outputs}×{inputs}, {role} / the core's peak";
                _goals.Add(Goal.Least(name, 0.8, results[name] = Spread.Of(InTurns(measure, speed.Peak))));
            }
        }

        return results;
    }

    /// <summary>Steps of microseconds: what surrounds them shows.</summary>
    private async Task<object> GrainsAsync()
    {
        var table = new Preloaded(new FashionMnist(), NetworkBenchmark.Table());
        var steps = (await Task.Run(() => StepsFor(() => new LibraryLoop(Plan(1), 0)))) / 62 * 62;
        await using var silo = await TemporarySilo.StartAsync(table, lanes: 1);
        var (ratios, rates) = (new List<double>(), new List<(double Run, double Library)>());
        for (var round = 0; round <= rounds; round++)
        {
            var status = await silo.TrainAsync(Spec($"round-{round}", steps / 62));
            var library = await Task.Run(() =>
            {
                using var loop = new LibraryLoop(Plan(steps / 62), 0);
                var clock = Stopwatch.StartNew();
                for (var step = 0; step < status.Steps; step++) loop.Step();
                return status.Steps / clock.Elapsed.TotalSeconds;
            });
            if (round == 0) continue;
            rates.Add((status.Steps / status.TrainSeconds, library));
            ratios.Add(rates[^1].Run / library);
        }

        _goals.Add(Goal.Least("a run through grains / the library alone, 30-64-3, steps a second", 0.95, Spread.Of(ratios)));
        return new { Steps = steps, Run = Spread.Of(rates.Select(rate => rate.Run)), Library = Spread.Of(rates.Select(rate => rate.Library)) };

        TrainingPlan Plan(int epochs) => new(SpecDocument.Parse(Spec("library", epochs)).Resolve(), table.Dataset, new NetworkRegistry());

        static string Spec(string name, int epochs) => $$"""
            { "name": "{{name}}", "members": 1, "data": { "dataset": "{{Preloaded.DatasetName}}", "validationFraction": 0 }, "model": { "kind": "mlp", "hidden": [64] },
              "training": { "epochs": {{epochs}}, "batchSize": 32, "schedule": { "kind": "constant", "learningRate": 0.01 } }, "logging": { "everySteps": 1000 } }
            """;
    }

    private async Task<object> SilosAsync()
    {
        await using var one = await ServedCluster.StartAsync(1, data);
        await using var two = await ServedCluster.StartAsync(2, data);
        var (ratios, ceilings) = (new List<double>(), new List<double>());
        for (var round = 0; round <= rounds; round++)
        {
            var name = $"round-{round}";
            var (slow, fast) = (await one.TrainAsync(name, Spec(name)), await two.TrainAsync(name, Spec(name)));
            // The first reads the data and compiles.
            if (round == 0) continue;
            ratios.Add(fast.Steps / fast.TrainSeconds / (slow.Steps / slow.TrainSeconds));
            var alone = await StepRate.InProcessAsync(data);
            ceilings.Add((await Task.WhenAll(StepRate.InProcessAsync(data), StepRate.InProcessAsync(data))).Sum() / alone);
        }

        _goals.Add(Goal.Least("two silos of one lane / one silo of one lane, member-steps a second", 1.9, Spread.Of(ratios)));
        _goals.Add(Goal.Beside("what the machine allows at most: two processes of the library alone / one", Spread.Of(ceilings)));
        return new { Work = "fashion-mnist, mlp [256], dropout 0.5, batch 128, four members of twenty epochs", Ratios = ratios, Ceilings = ceilings };

        static string Spec(string name) => $$"""
            { "name": "{{name}}", "members": 4, {{StepRate.Work}} }
            """;
    }

    /// <summary>The README's first command; and one of a single step.</summary>
    private object Program()
    {
        var (starts, runs, formerSeconds) = (new List<double>(), new List<Trained>(), new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            starts.Add(InFolder(folder => Driver.Ours.Run(
                "train", "--members", "1", "--epochs", "1", "--set", "training.batchSize=2000", "--lanes", "1", "--runs", folder, "--json").FirstMember));
            if (round >= Math.Min(rounds, 3)) continue;
            runs.Add(InFolder(folder => Driver.Ours.Run("train", "--runs", folder, "--json")));
            if (_former is not null) formerSeconds.Add(InFolder(folder => _former.Run("train", "--runs", folder, "--json").Seconds));
        }

        _goals.Add(Goal.Most("seconds from the program's start until a member has done its first and only step", 1.5, Spread.Of(starts)));
        _goals.Add(Goal.Most("peak memory of the driver that trains ten members on the digits, MB", 150, Spread.Of(runs.Select(run => run.PeakBytes / 1e6))));
        if (_former is not null)
            _goals.Add(Goal.Most("seconds of training ten members on the digits / the former program's", 0.35, Spread.Of(runs.Zip(formerSeconds, (ours, theirs) => ours.Seconds / theirs))));
        return new { Seconds = Spread.Of(runs.Select(run => run.Seconds)), FormerSeconds = formerSeconds };
    }

    private Dictionary<string, object> FormerSteps(Driver theirs)
    {
        var results = new Dictionary<string, object>();
        foreach (var (network, hidden, dropout, least, ours, formerly) in new[]
        {
            (NetworkBenchmark.Small, "[64]", "null", 10.0, 8000, 160), (NetworkBenchmark.Medium, "[128, 128]", "{ \"rate\": 0.1 }", 4.0, 1200, 100),
        })
        {
            var (ratios, rates) = (new List<double>(), new List<(double Ours, double Former)>());
            for (var round = 0; round < rounds; round++)
            {
                rates.Add((Rate(Driver.Ours, ours), Rate(theirs, formerly)));
                ratios.Add(rates[^1].Ours / rates[^1].Former);
            }

            _goals.Add(Goal.Least($"steps a second of {network} in a run / in a run of the former program", least, Spread.Of(ratios)));
            results[network] = new { Ours = Spread.Of(rates.Select(rate => rate.Ours)), Former = Spread.Of(rates.Select(rate => rate.Former)) };

            double Rate(Driver driver, int epochs) => InFolder(folder =>
            {
                var table = Path.Combine(folder, "table.csv");
                WriteTable(table);
                return driver.Train(folder, $$"""
                    { "name": "table", "members": 1, "data": { "dataset": "{{table}}", "validationFraction": 0 }, "model": { "kind": "mlp", "hidden": {{hidden}}{{(driver == theirs ? "" : ", \"numericEmbedding\": null")}} },
                      "training": { "epochs": {{epochs}}, "batchSize": 32, "optimizer": { "kind": "sgd", "momentum": 0.9 }, "schedule": { "kind": "constant", "learningRate": 0.001 } },
                      "regularization": { "l2": 0, "weightDecay": 0, "dropout": {{dropout}} }, "logging": { "everySteps": 1000000 } }
                    """, lanes: 1).StepsPerSecond;
            });
        }

        return results;
    }

    /// <summary>What kernels of our own took the place of: libtorch's products in bfloat16.</summary>
    private object Bfloat16(Driver theirs)
    {
        var rates = new List<(double Ours, double Former)>();
        for (var round = 0; round < rounds; round++) rates.Add((Images(Driver.Ours, 6, ""), Images(theirs, 4, ", \"precision\": \"bfloat16\"")));
        _goals.Add(Goal.Least("steps a second of 784-256-10 in a run / in a run of the former program in bfloat16", 1, Spread.Of(rates.Select(rate => rate.Ours / rate.Former))));
        return new { Ours = Spread.Of(rates.Select(rate => rate.Ours)), Former = Spread.Of(rates.Select(rate => rate.Former)) };

        double Images(Driver driver, int epochs, string precision) => InFolder(folder => driver.Train(folder, $$"""
            { "name": "images", "members": 1, "data": { "dataset": "fashion-mnist" }, "model": { "kind": "mlp", "hidden": [256] },
              "training": { "epochs": {{epochs}}, "batchSize": 128{{precision}} }, "regularization": { "dropout": { "rate": 0.5 } } }
            """, lanes: 1, data).StepsPerSecond);
    }

    private async Task<object> ServingAsync(Driver theirs)
    {
        var folder = Directory.CreateTempSubdirectory("ensemble-benchmark-").FullName;
        try
        {
            const string Run = "served";
            theirs.Train(folder, $$"""
                { "name": "{{Run}}", "members": 10, "data": { "dataset": "fashion-mnist" }, "model": { "kind": "mlp", "hidden": [256] },
                  "training": { "epochs": 1, "batchSize": 2048 } }
                """, lanes: 2, data);
            float[] row = [.. Preloaded.FashionMnist(data).Dataset.Test.InputsOf(0, 1).ToArray().Select(pixel => pixel * 255)];
            using var bare = new BareModels("mlp", 10, row);
            await using var ours = await ServedRun.StartAsync(Driver.Ours, folder, Run, row);
            await using var former = await ServedRun.StartAsync(theirs, folder, Run, row);
            // Until the runtimes have compiled what is asked often with all their optimizations.
            foreach (var server in new[] { ours, former, ours, former }) await server.MeasureAsync(64, 6);
            foreach (var server in new[] { ours, former, ours, former }) server.MeasureBySockets(64, 12);
            var (many, plain) = (new List<(Measurement Ours, Measurement Former)>(), new List<(Measurement Ours, Measurement Former)>());
            var (one, lone) = (new List<(Measurement Ours, Measurement Former)>(), new List<Measurement>());
            for (var round = 0; round < rounds; round++)
            {
                plain.Add((ours.MeasureBySockets(64, Turn), former.MeasureBySockets(64, Turn)));
                many.Add((await ours.MeasureAsync(64, Turn), await former.MeasureAsync(64, Turn)));
                one.Add((await ours.MeasureAsync(1, Turn / 2), await former.MeasureAsync(1, Turn / 2)));
                lone.Add(bare.Measure(rows: 1, threads: 1, Turn / 2));
            }

            _goals.Add(Goal.Least(
                "rows a second served to 64 clients of one row, ten mlps / by the former program", 2, Spread.Of(plain.Select(pair => pair.Ours.RowsPerSecond / pair.Former.RowsPerSecond))));
            _goals.Add(Goal.Beside(
                "the same to clients by HttpClient, which take a good part of the cores themselves", Spread.Of(many.Select(pair => pair.Ours.RowsPerSecond / pair.Former.RowsPerSecond))));
            _goals.Add(Goal.Most(
                "p50 of one row of one client / of the bare models on one thread", 1, Spread.Of(one.Zip(lone, (pair, models) => pair.Ours.P50 / models.P50))));
            return new
            {
                RowsPerSecond = Spread.Of(plain.Select(pair => pair.Ours.RowsPerSecond)), FormerRowsPerSecond = Spread.Of(plain.Select(pair => pair.Former.RowsPerSecond)),
                RowsPerSecondByHttpClient = Spread.Of(many.Select(pair => pair.Ours.RowsPerSecond)), FormerRowsPerSecondByHttpClient = Spread.Of(many.Select(pair => pair.Former.RowsPerSecond)),
                P50Milliseconds = Spread.Of(one.Select(pair => pair.Ours.P50)), FormerP50Milliseconds = Spread.Of(one.Select(pair => pair.Former.P50)),
                BareP50Milliseconds = Spread.Of(lone.Select(models => models.P50)), Errors = many.Concat(plain).Sum(pair => pair.Ours.Errors + pair.Former.Errors),
            };
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Steps a second of other programs, beside ours.</summary>
    private object? Others()
    {
        var results = new List<(JsonObject Theirs, Dictionary<string, NetworkSteps> Ours)>();
        for (var round = 0; round < rounds; round++)
        {
            using var process = Process.Start(new ProcessStartInfo(python, [Path.Combine(AppContext.BaseDirectory, "Own", "mlp_classifier.py"), "0.7"]) { RedirectStandardOutput = true })!;
            var text = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0) return null;
            results.Add((JsonNode.Parse(text)!.AsObject(), new NetworkBenchmark(data, 1, [NetworkBenchmark.Small, NetworkBenchmark.Medium]).Measure()));
        }

        var rates = new Dictionary<string, Spread>();
        foreach (var (other, network) in results[0].Theirs.SelectMany(other => other.Value!.AsObject(), (other, network) => (other.Key, network.Key)))
        {
            rates[$"{other}, {network}"] = Spread.Of(results.Select(round => (double)round.Theirs[other]![network]!));
            _goals.Add(Goal.Beside(
                $"steps a second of {network} / {other}'s", Spread.Of(results.Select(round => 1e6 / round.Ours[network].Own.Median / (double)round.Theirs[other]![network]!))));
        }

        return new { StepsPerSecond = rates };
    }

    /// <summary>Ratios of two measurements.</summary>
    private IEnumerable<double> InTurns(Func<double> one, Func<double> other)
    {
        // Round 0 is not counted: its methods are still being compiled.
        for (var round = 0; round <= rounds; round++)
        {
            var (first, second) = (one(), other());
            if (round > 0) yield return first / second;
        }
    }

    private static double PerSecond(IStepLoop loop)
    {
        var (steps, clock) = (0, Stopwatch.StartNew());
        for (; clock.Elapsed.TotalSeconds < 0.3; steps++) loop.Step();
        return steps / clock.Elapsed.TotalSeconds;
    }

    /// <summary>Steps of a turn.</summary>
    private static int StepsFor(Func<IStepLoop> create)
    {
        using var loop = create();
        PerSecond(loop);
        return (int)(PerSecond(loop) * Turn);
    }

    private static T InFolder<T>(Func<string, T> measure)
    {
        var folder = Directory.CreateTempSubdirectory("ensemble-benchmark-").FullName;
        try
        {
            return measure(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void WriteTable(string file)
    {
        var table = NetworkBenchmark.Table();
        using var writer = new StreamWriter(file);
        writer.WriteLine(string.Join(',', table.Columns) + ",label");
        for (var row = 0; row < table.Train.Count; row++)
            writer.WriteLine(string.Join(',', table.Train.InputsOf(row, 1).ToArray().Select(value => value.ToString(System.Globalization.CultureInfo.InvariantCulture))) + $",c{row % 3}");
    }
}
