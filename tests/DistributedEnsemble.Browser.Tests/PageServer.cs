using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Serving;
using DistributedEnsemble.Serving.Hosting;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace DistributedEnsemble.Browser.Tests;

/// <summary>A silo with HTTP in this process, a run on the digits, and one on a table.</summary>
public sealed class PageServer : IAsyncLifetime
{
    public const string InferenceKey = "inference-0123456789", AdminKey = "admin-0123456789abcdef";

    private readonly List<HttpServer> _servers = [];
    private EmbeddedSilo? _silo;

    public string RunsFolder { get; } = Directory.CreateTempSubdirectory("ensemble-").FullName;

    /// <summary>Runs of this network take at least 20 ms for a step until their test lets them go: what is tried meanwhile does not race with their end.</summary>
    public const string HeldModel = """{ "kind": "held" }""";

    /// <summary>Set: steps of <see cref="HeldModel"/> take no time.</summary>
    public ManualResetEventSlim Released { get; } = new();

    /// <summary>Of a server without keys.</summary>
    public string Url { get; private set; } = "";

    /// <summary>Of a server with an inference key and an admin key.</summary>
    public string KeyedUrl { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        var table = Path.Combine(RunsFolder, "table.csv");
        await File.WriteAllLinesAsync(table, ["size,kind,price", .. Enumerable.Range(0, 300).Select(i => $"{i % 37}.5,{(i % 3 == 0 ? "red" : "blue")},{(2.25 * (i % 37)) + (i % 3 == 0 ? 40 : 0) + (i % 5)}")]);
        _silo = await EmbeddedSilo.StartAsync(options =>
        {
            (options.RunsFolder, options.Lanes, options.ReadsPaths) = (RunsFolder, 2, true);
            options.Networks.AddModule("held", (_, outputs, _) => Sequential(Flatten(), new Held(Released), Linear(64, outputs)));
        });
        Url = (await StartAsync(new HttpSettings())).Url;
        KeyedUrl = (await StartAsync(new HttpSettings { InferenceKey = InferenceKey, AdminKey = AdminKey })).Url;
        await TrainAsync("""
            { "name": "small", "seed": 3, "members": 3, "data": { "dataset": "digits" }, "model": { "kind": "mlp", "hidden": [16] }, "training": { "epochs": 3 },
              "snapshots": { "perMember": 3 }, "averaging": { "decay": 0.9, "everySteps": 20 }, "logging": { "everySteps": 5 } }
            """);
        await TrainAsync($$"""
            { "name": "prices", "seed": 3, "members": 3, "data": { "dataset": "{{table}}", "target": "price" }, "training": { "epochs": 20 } }
            """);
        await TrainAsync("""
            { "name": "varied", "seed": 3, "members": 4, "data": { "dataset": "digits", "folds": 2 }, "model": { "kind": "mlp", "hidden": [16] }, "training": { "epochs": 3 }, "logging": { "everySteps": 5 },
              "variants": [ { "training": { "schedule": { "learningRate": 0.2 } } }, { "model": { "hidden": [24, 8] } } ] }
            """);
        await ThousandMembers.WriteAsync(RunsFolder, "thousand");
        await StoppedStudents.WriteAsync(RunsFolder, "students");
    }

    /// <summary>Another server of the same silo, ended by its starter or with this one.</summary>
    internal async Task<HttpServer> StartAsync(HttpSettings settings)
    {
        var server = await HttpServer.StartAsync(_silo!.Grains, RunsFolder, settings with { Url = settings.Url.Replace(":8000", ":0", StringComparison.Ordinal) });
        _servers.Add(server);
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers) await server.DisposeAsync();
        Released.Set();
        await _silo!.DisposeAsync();
        Directory.Delete(RunsFolder, recursive: true);
    }

    internal Task<RunKey> SubmitAsync(string spec) => _silo!.Grains.GetGrain<IScheduler>(IScheduler.Key).SubmitAsync(new Submission(spec) { NamesPaths = true });

    /// <summary>Waits until a run that this silo works on is as wanted.</summary>
    internal async Task WhenAsync(RunKey run, Func<RunStatus, bool> isWanted)
    {
        while (!isWanted(await Coordinator(run).GetStatusAsync())) await Task.Delay(20, TestContext.Current.CancellationToken);
    }

    private ICoordinator Coordinator(RunKey run) => _silo!.Grains.GetGrain<ICoordinator>(run.ToString());

    private async Task TrainAsync(string spec) => await WhenAsync(await SubmitAsync(spec), run => run.HasEnded);

    private sealed class Held(ManualResetEventSlim released) : Module<Tensor, Tensor>("held")
    {
        public override Tensor forward(Tensor input)
        {
            released.Wait(TimeSpan.FromMilliseconds(20));
            return input.alias();
        }
    }
}

/// <summary>A regression's run as another process would leave it: members that stopped early, each at another step, and learned what a run answers.</summary>
internal static class StoppedStudents
{
    public static async Task WriteAsync(string runs, string name)
    {
        var folder = Path.Combine(runs, name);
        int[] steps = [40, 50, 60, 200];
        foreach (var (member, last) in steps.Index())
        {
            var own = Path.Combine(folder, $"members/{member:D2}");
            Directory.CreateDirectory(own);
            await File.WriteAllLinesAsync(Path.Combine(own, "metrics.jsonl"), Enumerable.Range(1, last / 10).Select(i =>
                $$"""{"step":{{i * 10}},"epoch":{{i}},"learningRate":{{0.001 - (i * 1e-5):0.00000}},"loss":{{0.5 - (i * 0.125) - member}},"l2":0,"rmse":0.5}"""));
        }

        await File.WriteAllTextAsync(Path.Combine(folder, "spec.json"), """{ "members": 4, "distillation": { "teacher": "prices" } }""");
        await File.WriteAllTextAsync(Path.Combine(folder, "run.json"), RunStatusJson.ToJson(new RunStatus
        {
            Run = name, Id = Guid.NewGuid(), State = RunState.Completed, Steps = steps.Sum(), StepsTotal = steps.Sum(), TrainSeconds = 2,
            Members = [.. steps.Select((last, i) => new MemberStatus { Index = i, State = MemberState.Completed, Attempt = 1, Step = last, StepsTotal = last, FinalStep = last, Loss = 0.5 - (last / 80.0) - i })],
        }));
    }
}

/// <summary>A run of a thousand members as another process would leave it.</summary>
internal static class ThousandMembers
{
    public static async Task WriteAsync(string runs, string name)
    {
        var folder = Path.Combine(runs, name);
        Directory.CreateDirectory(folder);
        var members = Enumerable.Range(0, 1000).Select(i => new MemberStatus
        {
            Index = i, State = i < 990 ? MemberState.Completed : i == 995 ? MemberState.Failed : MemberState.Waiting, Attempt = 1, Step = i < 990 ? 100 : 0,
            Silo = i < 990 ? $"10.0.0.{i % 20}:11111" : null, Epoch = 2, Loss = i < 990 ? 0.1 + (i / 1e4) : null, Reason = i == 995 ? "The loss is not a number." : null,
        });
        var status = new RunStatus
        {
            Run = name, Id = Guid.NewGuid(), State = RunState.Paused, Reason = "it was stopped", Steps = 99_000, StepsTotal = 100_000, TrainSeconds = 60, Members = [.. members],
        };
        for (var member = 0; member < 990; member++)
        {
            var own = Path.Combine(folder, $"members/{member:D2}");
            Directory.CreateDirectory(own);
            await File.WriteAllLinesAsync(Path.Combine(own, "metrics.jsonl"), Enumerable.Range(1, 10).Select(i =>
                $$"""{"step":{{i * 10}},"epoch":{{i * 0.2:0.0}},"learningRate":0.1,"loss":{{(1.0 / i) + (member / 1e4):0.0000}},"l2":0,"accuracy":0.5}"""));
        }

        await File.WriteAllTextAsync(Path.Combine(folder, "run.json"), RunStatusJson.ToJson(status));
    }
}
