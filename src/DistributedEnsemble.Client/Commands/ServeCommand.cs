using System.CommandLine;
using System.Text.Json;
using DistributedEnsemble.Client.Clusters;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Client.Rendering;
using DistributedEnsemble.Client.Runs;
using DistributedEnsemble.Client.Servers;
using DistributedEnsemble.Grains.Lanes;
using DistributedEnsemble.Grains.Stores.Objects;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Serving;
using DistributedEnsemble.Serving.Inference;
using DistributedEnsemble.Serving.Processes;
using DistributedEnsemble.Training.Files;
using Spectre.Console;

namespace DistributedEnsemble.Client.Commands;

internal sealed class ServeCommand : DriverCommand
{
    private readonly Argument<string[]> _runs = new("runs")
    {
        Description = "The runs to serve [default: all of the folder, and what ends later]", HelpName = NamedRun.HelpName, Arity = ArgumentArity.ZeroOrMore,
    };

    private readonly Option<string?> _http = new("--http")
    {
        Description = $"Where to listen [default: {HttpSettings.DefaultUrl}]", HelpName = "URL",
    };

    private readonly Option<string?> _grpc = new("--grpc")
    {
        Description = "Where to serve gRPC, beside HTTP [default: not at all]", HelpName = "URL",
    };

    private readonly SharedOptions _shared;
    private readonly Consoles _consoles;

    public ServeCommand(Backend backend, SharedOptions shared, Consoles consoles, Func<Interruption> listen)
        : base(
            "serve", "Serves predictions, runs and a live page over HTTP (Open Inference Protocol v2; gRPC with --grpc), until Ctrl-C.",
            "ensemble serve digits-1", "ensemble serve", "ensemble serve digits-1 --http http://127.0.0.1:9000",
            "ensemble serve digits-1 --grpc http://127.0.0.1:8001")
    {
        (_shared, _consoles) = (shared, consoles);
        _runs.RefuseOptions();
        Add(_runs);
        Add(_http);
        Add(_grpc);
        SetAction(async (parsed, _) =>
        {
            using var interruption = listen();
            var options = shared.Read(parsed);
            if (options.Cluster is not null)
                throw new UsageException("serve and --cluster exclude each other: each silo of the cluster serves its runs itself, where its --http says.");
            var settings = ServingConfiguration.OfEnvironment().ReadHttpSettings(parsed.GetValue(_http), parsed.GetValue(_grpc));
            var chosen = await Stoppable.RunAsync(cancellation => Choose(backend.OpenCatalog(options), parsed, cancellation), interruption);
            if (chosen is null) return NothingServed(interruption);
            var (catalog, names) = chosen;
            await using var cluster = await StartAsync(backend, options with { LanePriority = LanePriority.Idle, IsServed = true }, interruption);
            if (cluster is null) return NothingServed(interruption);
            // Whether the server is ready depends on the writes of the silo.
            var storage = cluster.Storage;
            await using var server = await HttpServer.StartAsync(
                cluster.Grains, storage, settings, names.Count == 0 ? null : names, EmbeddedCluster.Logs, cluster.Aggregators, CancellationToken.None);
            Announce(parsed, server, settings, names.Count > 0 ? names : [.. catalog.Names(interruption.Token).Where(name => CanBeRead(catalog, name))], storage);
            await Task.Delay(Timeout.Infinite, interruption.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await StopRunsAsync(cluster.Grains);
            return ExitCode.Ok;
        });
    }

    private int NothingServed(Interruption interruption)
    {
        _consoles.Error.WriteRaw("Stopped before anything was served.");
        return interruption.ExitCode;
    }

    /// <returns>Where the runs are read, and the names of those that were asked for.</returns>
    private Tuple<IRunCatalog, List<string>> Choose(IRunCatalog catalog, ParseResult parsed, CancellationToken cancellation) =>
        Tuple.Create(catalog, (parsed.GetValue(_runs) ?? []).Select(name => NamedRun.Find(parsed, catalog, _shared, name, cancellation).Run).Distinct().ToList());

    /// <summary>What cannot be read is not served: its files are damaged, or no regular files.</summary>
    private static bool CanBeRead(IRunCatalog catalog, string name)
    {
        try
        {
            return catalog.Find(name, CancellationToken.None) is not null;
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <returns>Null if an interruption came first.</returns>
    private static async Task<ICluster?> StartAsync(Backend backend, EmbeddedOptions options, Interruption interruption)
    {
        try
        {
            return await backend.StartCluster(options, interruption.Token);
        }
        catch (OperationCanceledException) when (interruption.IsAsked)
        {
            return null;
        }
    }

    private void Announce(ParseResult parsed, HttpServer server, HttpSettings settings, List<string> runs, RunStorage storage)
    {
        if (_shared.Json(parsed))
        {
            _consoles.Out.WriteJson(new Serving(server.Url, server.GrpcUrl, runs));
            return;
        }

        var (first, examples) = (runs.Count > 0 ? runs[0] : "RUN", new ServerExamples(server.Url, settings, Environment.GetEnvironmentVariable("ENSEMBLE__TLS__AUTHORITY")));
        _consoles.Out.WriteRaw($"Serving {(runs.Count == 0 ? $"{storage.Place}, which has no runs yet," : string.Join(", ", runs))} at {server.Url} until Ctrl-C; a browser shows the live page there{(server.GrpcUrl is { } grpc ? $", and gRPC is at {grpc}" : "")}. Try:");
        if (examples.Before is { } before) _consoles.Out.WriteRaw($"  {before}");
        _consoles.Out.WriteRaw($"  {examples.Curl($"/v2/models/{first}")}");
        _consoles.Out.WriteRaw($"  {examples.Predict(first)}");
        if (runs.Count > 0 && Body(first, storage) is { } body) _consoles.Out.WriteRaw($"  {examples.Curl($"/v2/models/{first}/infer")} -d '{body}'");
    }

    /// <summary>A request with the numbers 1, 2, 3… as its row: seq writes them, however many a row has.</summary>
    /// <returns>Null if the run's description cannot be read.</returns>
    private static string? Body(string run, RunStorage storage)
    {
        try
        {
            var data = RunDescription.Read(new RunFolder(storage, run)).Data;
            if (data.Table is not null)
            {
                // Whatever the columns are, their cells may be missing.
                return $"{{\"inputs\":[{string.Join(',', data.Columns.Select(name =>
                    $"{{\"name\":{JsonSerializer.Serialize(name).Replace("'", "\\u0027", StringComparison.Ordinal)},\"datatype\":\"BYTES\",\"shape\":[1,1],\"data\":[\"\"]}}"))}]}}";
            }

            return $"{{\"inputs\":[{{\"name\":\"{InferProtocol.InputName}\",\"datatype\":\"FP32\","
                + $"\"shape\":[1,{string.Join(',', data.InputShape)}],\"data\":['$(seq -s, {data.Inputs.Width})']}}]}}";
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Runs that were started over HTTP take a checkpoint, and can be resumed.</summary>
    private static async Task StopRunsAsync(IGrainFactory grains)
    {
        foreach (var run in await grains.GetGrain<IScheduler>(IScheduler.Key).ListAsync())
        {
            var coordinator = grains.GetGrain<ICoordinator>(run.ToString());
            if ((await coordinator.GetStatusAsync()).State is not (RunState.Running or RunState.Queued)) continue;
            await coordinator.StopAsync();
            while ((await coordinator.GetStatusAsync()).State is RunState.Running or RunState.Queued) await Task.Delay(50);
        }
    }

    private sealed record Serving(string Url, string? Grpc, IReadOnlyList<string> Runs);
}
