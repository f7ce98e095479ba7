using DistributedEnsemble.Grains.Lanes;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Serving;
using DistributedEnsemble.Serving.Hosting;
using DistributedEnsemble.Training.Data;

namespace DistributedEnsemble.Benchmarks.Serving;

/// <summary>
/// Requests per second and their latency at several concurrencies: ten models served, beside the bare forward passes of ten
/// models in the same process, one model served, and ten served without batching. Clients and servers share the process and its cores.
/// </summary>
internal sealed class ServingBenchmark(string? data, int rounds, double seconds)
{
    private const int Members = 10, BatchRows = 128, ManyRows = 32;
    private static readonly int[] s_concurrencies = [1, 16, 64, 256];

    /// <summary>Rows of the bare models' batches: the largest that each concurrency can fill, up to the server's limit.</summary>
    private static readonly int[] s_bareRows = [1, 16, 64, BatchRows];

    private static readonly Dictionary<string, string> s_models = new()
    {
        ["mlp"] = """{ "kind": "mlp", "hidden": [256] }""",
        ["lenet"] = """{ "kind": "lenet" }""",
    };

    private readonly Preloaded _data = Preloaded.FashionMnist(data);

    public async Task<object> RunAsync()
    {
        var before = Neighbours.LoadAverage();
        var results = new Dictionary<string, object>();
        foreach (var model in s_models.Keys) results[model] = await MeasureAsync(model);
        return new { Members, MaxBatchSize = BatchRows, Rounds = rounds, SecondsPerMeasurement = seconds, LoadAverageBefore = before, Models = results };
    }

    private async Task<object> MeasureAsync(string model)
    {
        var runs = Directory.CreateTempSubdirectory("ensemble-benchmark-").FullName;
        try
        {
            await using var batched = await StartAsync(runs, BatchRows);
            await using var unbatched = await StartAsync(runs, 1);
            await using var patient = await StartAsync(runs, BatchRows, LanePriority.Idle);
            await TrainAsync(batched.Grains, Spec(model, model, epochs: 1, batchSize: 2048), until: status => status.State == RunState.Completed);
            using var load = new ServedLoad(batched, unbatched, patient, model, One(_data.Dataset, 1), One(_data.Dataset, ManyRows));
            using var bare = new BareModels(model, Members, One(_data.Dataset, ManyRows));
            await load.WarmUpAsync();
            var measured = new Dictionary<string, List<Measurement>>();
            for (var round = 0; round < rounds; round++) await RoundAsync(load, bare, measured);
            for (var round = 0; round < rounds; round++)
            {
                await WithTrainingAsync(batched, load.Http, "", model, round, measured);
                await WithTrainingAsync(patient, load.HttpPatient, " at idle priority", model, round, measured);
            }

            return Summary(measured);
        }
        finally
        {
            Directory.Delete(runs, recursive: true);
        }
    }

    private async Task RoundAsync(ServedLoad load, BareModels bare, Dictionary<string, List<Measurement>> measured)
    {
        Add(measured, "bare, 1 row, 1 thread", bare.Measure(rows: 1, threads: 1, seconds));
        foreach (var rows in s_bareRows) Add(measured, Bare(rows), bare.Measure(rows, Environment.ProcessorCount, seconds));
        foreach (var concurrency in s_concurrencies)
        {
            Add(measured, $"http, 1 row, {concurrency}", await ServedLoad.MeasureAsync(load.Http, concurrency, seconds));
            Add(measured, $"http, 32 rows, {concurrency}", await ServedLoad.MeasureAsync(load.HttpMany, concurrency, seconds, ManyRows));
            Add(measured, $"http, 1 row, one model, {concurrency}", await ServedLoad.MeasureAsync(load.HttpOneModel, concurrency, seconds));
            Add(measured, $"aggregator, 1 row, {concurrency}", await ServedLoad.MeasureAsync(load.Aggregator, concurrency, seconds));
            if (concurrency is not (1 or 64)) continue;
            Add(measured, $"http, 1 row, unbatched, {concurrency}", await ServedLoad.MeasureAsync(load.HttpUnbatched, concurrency, seconds));
            Add(measured, $"aggregator, 1 row, unbatched, {concurrency}", await ServedLoad.MeasureAsync(load.AggregatorUnbatched, concurrency, seconds));
        }
    }

    /// <summary>The same requests while every lane trains, and while none does.</summary>
    private async Task WithTrainingAsync(
        Served served, Func<Task> ask, string priority, string model, int round, Dictionary<string, List<Measurement>> measured)
    {
        foreach (var concurrency in new[] { 1, 16 })
        {
            Add(measured, $"http, 1 row, no lane training{priority}, {concurrency}", await ServedLoad.MeasureAsync(ask, concurrency, seconds));
            var run = await TrainAsync(
                served.Grains, Spec(model, $"busy-{round}-{concurrency}{priority.Replace(' ', '-')}", 100_000, 128), status => status.Steps > 0);
            Add(measured, $"http, 1 row, lanes training{priority}, {concurrency}", await ServedLoad.MeasureAsync(ask, concurrency, seconds));
            await served.Grains.GetGrain<ICoordinator>(run.ToString()).StopAsync();
            await UntilAsync(served.Grains, run, status => status.State == RunState.Paused);
        }
    }

    private static string Bare(int rows) => $"bare, {rows} rows, all threads";

    private static void Add(Dictionary<string, List<Measurement>> measured, string name, Measurement measurement)
    {
        if (!measured.TryGetValue(name, out var list)) measured[name] = list = [];
        list.Add(measurement);
        Console.Error.WriteLine($"{name}: {measurement.RowsPerSecond:0} rows/s, p50 {measurement.P50:0.00} ms, p99 {measurement.P99:0.00} ms, {measurement.Errors} errors");
    }

    private static object Summary(Dictionary<string, List<Measurement>> measured)
    {
        Spread Ratio(string one, string other, Func<Measurement, double> of) =>
            Spread.Of(measured[one].Zip(measured[other], (a, b) => of(a) / of(b)));
        static object Goal(Spread ratio, double least = double.NegativeInfinity, double most = double.PositiveInfinity) =>
            new { Measured = ratio, Goal = double.IsFinite(least) ? $"at least {least}" : $"at most {most}", IsMet = ratio.Median >= least && ratio.Median <= most };
        object WithTraining(string priority, int clients) => Goal(
            Ratio($"http, 1 row, lanes training{priority}, {clients}", $"http, 1 row, no lane training{priority}, {clients}", m => m.P99), most: 3);
        static string BareFor(int concurrency) => Bare(Math.Min(concurrency, BatchRows));
        return new
        {
            Measured = measured.ToDictionary(entry => entry.Key, entry => new
            {
                RequestsPerSecond = Spread.Of(entry.Value.Select(m => m.RequestsPerSecond)),
                RowsPerSecond = Spread.Of(entry.Value.Select(m => m.RowsPerSecond)),
                RowsPerCoreSecond = Spread.Of(entry.Value.Select(m => m.RowsPerCoreSecond)),
                P50Milliseconds = Spread.Of(entry.Value.Select(m => m.P50)),
                P99Milliseconds = Spread.Of(entry.Value.Select(m => m.P99)),
                Errors = entry.Value.Sum(m => m.Errors),
            }),
            Goals = new Dictionary<string, object>
            {
                ["batched throughput: rows/s of 64 clients with 32 rows / bare models in batches of 128"] =
                    Goal(Ratio("http, 32 rows, 64", Bare(BatchRows), m => m.RowsPerSecond), least: 0.85),
                ["milliseconds that serving adds to one row of one client: p50 − p50 of the bare models on one thread"] =
                    Goal(Spread.Of(measured["http, 1 row, 1"].Zip(measured["bare, 1 row, 1 thread"], (a, b) => a.P50 - b.P50)), most: 1),
                ["batching: rows/s of 64 clients with one row / without batches"] =
                    Goal(Ratio("http, 1 row, 64", "http, 1 row, unbatched, 64", m => m.RowsPerSecond), least: 5),
                ["batching without HTTP: rows/s of 64 callers of the aggregator with one row / without batches"] =
                    Goal(Ratio("aggregator, 1 row, 64", "aggregator, 1 row, unbatched, 64", m => m.RowsPerSecond), least: 5),
                ["p99 while all lanes train / while none does, 1 client"] = WithTraining("", 1),
                ["p99 while all lanes train / while none does, 16 clients"] = WithTraining("", 16),
                ["p99 while all lanes train at idle priority / while none does, 1 client"] = WithTraining(" at idle priority", 1),
                ["p99 while all lanes train at idle priority / while none does, 16 clients"] = WithTraining(" at idle priority", 16),
            },
            BareBatching = new Dictionary<string, Spread>
            {
                ["rows/s of the bare models in batches of 128 / of one row"] = Ratio(Bare(BatchRows), Bare(1), m => m.RowsPerSecond),
            },
            Ratios = s_concurrencies.ToDictionary(concurrency => $"{concurrency} clients", concurrency => new Dictionary<string, Spread>
            {
                ["rows/s, 1 row / bare models in the largest batch"] = Ratio($"http, 1 row, {concurrency}", BareFor(concurrency), m => m.RowsPerSecond),
                ["rows/core-s, 1 row / bare models in the largest batch"] = Ratio($"http, 1 row, {concurrency}", BareFor(concurrency), m => m.RowsPerCoreSecond),
                ["rows/s, 32 rows / bare models in batches of 128"] = Ratio($"http, 32 rows, {concurrency}", Bare(BatchRows), m => m.RowsPerSecond),
                ["rows/core-s, 32 rows / bare models in batches of 128"] = Ratio($"http, 32 rows, {concurrency}", Bare(BatchRows), m => m.RowsPerCoreSecond),
                ["rows/core-s, aggregator without HTTP, 1 row / bare models in the largest batch"] = Ratio($"aggregator, 1 row, {concurrency}", BareFor(concurrency), m => m.RowsPerCoreSecond),
                ["rows/s, 1 row / one model served"] = Ratio($"http, 1 row, {concurrency}", $"http, 1 row, one model, {concurrency}", m => m.RowsPerSecond),
                ["p50, 1 row / one model served"] = Ratio($"http, 1 row, {concurrency}", $"http, 1 row, one model, {concurrency}", m => m.P50),
                ["p99, 1 row / one model served"] = Ratio($"http, 1 row, {concurrency}", $"http, 1 row, one model, {concurrency}", m => m.P99),
            }),
        };
    }

    private async Task<Served> StartAsync(string runs, int maxBatchSize, LanePriority priority = LanePriority.Low)
    {
        var silo = await EmbeddedSilo.StartAsync(options =>
        {
            (options.RunsFolder, options.LanePriority) = (runs, priority);
            options.Datasets.Add(_data);
            options.Prediction.MaxBatchSize = maxBatchSize;
        });
        return new Served(silo, await HttpServer.StartAsync(silo.Grains, runs, new HttpSettings { Url = "http://127.0.0.1:0" }));
    }

    private static string Spec(string model, string name, int epochs, int batchSize) => $$"""
        { "name": "{{name}}", "members": {{Members}}, "data": { "dataset": "{{Preloaded.DatasetName}}", "validationFraction": 0.9 }, "model": {{s_models[model]}},
          "training": { "epochs": {{epochs}}, "batchSize": {{batchSize}} } }
        """;

    private static async Task<RunKey> TrainAsync(Orleans.IGrainFactory grains, string spec, Func<RunStatus, bool> until)
    {
        var run = await grains.GetGrain<IScheduler>(IScheduler.Key).SubmitAsync(new Submission(spec));
        await UntilAsync(grains, run, until);
        return run;
    }

    private static async Task UntilAsync(Orleans.IGrainFactory grains, RunKey run, Func<RunStatus, bool> condition)
    {
        var coordinator = grains.GetGrain<ICoordinator>(run.ToString());
        while (await coordinator.GetStatusAsync() is var status && !condition(status))
        {
            if (status.State == RunState.Failed) throw new InvalidOperationException($"The run failed: {status.Reason}");
            await Task.Delay(50);
        }
    }

    private static float[] One(Dataset dataset, int rows) =>
        [.. dataset.Test.InputsOf(0, rows).ToArray().Select(pixel => pixel * 255)];
}
