using System.Net.Http.Json;
using System.Text.Json;
using DistributedEnsemble.Grains.Predictions;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Serving.Hosting;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Files;
using TorchSharp;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Serving.Tests;

/// <summary>A silo with HTTP on a free port of loopback, and two small runs on the digits.</summary>
public sealed class ServedRuns : IAsyncLifetime
{
    /// <summary>A TorchSharp module that this host has added.</summary>
    public const string OwnModule = "own-module";

    private const string Spec = """
        { "name": "NAME", "seed": 3, "members": 3, "data": { "dataset": "digits" }, "model": { "kind": "mlp", "hidden": [16] },
          "training": { "epochs": 1 }, "regularization": { "dropout": { "rate": 0.3 } } }
        """;

    private readonly List<HttpServer> _servers = [];
    private EmbeddedSilo? _silo;
    private HttpServer? _server;

    public string RunsFolder { get; } = Directory.CreateTempSubdirectory("ensemble-").FullName;

    public HttpClient Client { get; } = new();

    public string Url => _server!.Url;

    internal IGrainFactory Grains => _silo!.Grains;

    internal LocalAggregators Aggregators => _silo!.Aggregators;

    public static string SpecOf(string name) => Spec.Replace("NAME", name);

    public async ValueTask InitializeAsync()
    {
        _silo = await EmbeddedSilo.StartAsync(options =>
        {
            // As the driver's own silo: HTTP is to name no paths all the same.
            (options.RunsFolder, options.Lanes, options.ReadsPaths) = (RunsFolder, 2, true);
            options.Networks.AddModule(OwnModule, (_, outputs, settings) =>
                Sequential(Flatten(), Linear(64, (int)settings["units"]!), ReLU(), torch.nn.Dropout(0.3), Linear((int)settings["units"]!, outputs)));
        });
        _server = await StartAsync(new HttpSettings());
        Client.BaseAddress = new Uri(Url);
        foreach (var name in new[] { "small", "other" }) await TrainAsync(SpecOf(name));
    }

    /// <summary>A run that goes on until it is stopped.</summary>
    internal Task<RunKey> BeginEndlessAsync(string name) => Grains.GetGrain<IScheduler>(IScheduler.Key).SubmitAsync(new Submission($$"""
        { "name": "{{name}}", "seed": 3, "members": 1, "data": { "dataset": "digits" }, "model": { "kind": "mlp", "hidden": [8] },
          "training": { "epochs": 1000000, "batchSize": 8 }, "logging": { "everySteps": 100000 }, "checkpoints": { "everySeconds": 1 } }
        """), TestContext.Current.CancellationToken);

    /// <summary>Stops it, and comes back when its members have left.</summary>
    internal async Task StopAsync(RunKey run)
    {
        var coordinator = Grains.GetGrain<ICoordinator>(run.ToString());
        await coordinator.StopAsync();
        while ((await coordinator.GetStatusAsync()).State != RunState.Paused) await Task.Delay(10, TestContext.Current.CancellationToken);
    }

    /// <summary>Another server of the same silo.</summary>
    public async Task<HttpServer> StartAsync(HttpSettings settings, params string[]? only)
    {
        var server = await HttpServer.StartAsync(
            _silo!.Grains, new FolderStorage(RunsFolder), settings with { Url = settings.Url.Replace(":8000", ":0") }, only is [] ? null : only,
            here: Aggregators, cancellation: TestContext.Current.CancellationToken);
        _servers.Add(server);
        return server;
    }

    public async Task TrainAsync(string spec, bool namesPaths = false)
    {
        var run = await Grains.GetGrain<IScheduler>(IScheduler.Key).SubmitAsync(new Submission(spec) { NamesPaths = namesPaths });
        await WaitAsync(async () => (await Grains.GetGrain<ICoordinator>(run.ToString()).GetStatusAsync()).HasEnded);
        await WaitAsync(async () => (await Client.GetAsync($"/v2/models/{run.Name}/ready")).IsSuccessStatusCode);
    }

    /// <summary>Asks until the condition holds; the time limit of the test run ends a wait in vain.</summary>
    public static async Task WaitAsync(Func<Task<bool>> condition)
    {
        while (!await condition()) await Task.Delay(20, TestContext.Current.CancellationToken);
    }

    /// <summary>Raw rows of the test split.</summary>
    public static float[] Rows(int count)
    {
        var source = new DatasetRegistry().Resolve("digits");
        using var digits = source.Load(new DataFolders());
        return [.. digits.Test.InputsOf(0, count).ToArray().Select(pixel => pixel * 16)];
    }

    /// <summary>What the aggregator says, without HTTP.</summary>
    public async Task<Prediction> PredictAsync(float[] rows, ConstituentChoice? choice = null, string name = "small", bool perMember = true)
    {
        var status = RunStatusJson.FromJson(await Client.GetStringAsync($"/api/runs/{name}"));
        return await Grains.GetGrain<IAggregator>(new RunKey(name, status.Id).ToString())
            .PredictAsync(new PredictionRequest([.. rows], choice) { PerMember = perMember }, TestContext.Current.CancellationToken);
    }

    public async Task<(int Status, JsonElement Json)> PostAsync(string path, object body)
    {
        using var response = await Client.PostAsJsonAsync(path, body);
        return ((int)response.StatusCode, await response.Content.ReadFromJsonAsync<JsonElement>());
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        foreach (var server in _servers) await server.DisposeAsync();
        await _silo!.DisposeAsync();
        Directory.Delete(RunsFolder, recursive: true);
    }
}
