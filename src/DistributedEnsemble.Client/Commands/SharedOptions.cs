using System.CommandLine;
using DistributedEnsemble.Client.Clusters;
using DistributedEnsemble.Client.Failures;
using DistributedEnsemble.Grains.Stores.Objects;
using DistributedEnsemble.Grains.Stores.Redis;
using DistributedEnsemble.Serving;
using DistributedEnsemble.Serving.Hosting;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Client.Commands;

/// <summary>The options that every command has.</summary>
internal sealed class SharedOptions
{
    private const string DefaultRuns = "./runs", ClusterVariable = "ENSEMBLE__CLUSTER", StoreVariable = "ENSEMBLE__STORE", SecretsVariable = "ENSEMBLE__SECRETS";

    private readonly Option<string> _runs = new("--runs")
    {
        Description = "The folder of all runs.", HelpName = "DIR", Recursive = true, DefaultValueFactory = _ => DefaultRuns,
    };

    private readonly Option<int?> _lanes = new("--lanes")
    {
        Description = "Members trained at once [default: one per core]", HelpName = "N", Recursive = true,
        CustomParser = result => OptionValues.WholeNumber(result, "--lanes", "a number of training threads", from: 1, to: 1024),
    };

    private readonly Option<string?> _data = new("--data")
    {
        Description = "A folder in which datasets are looked for first.", HelpName = "DIR", Recursive = true,
    };

    private readonly Option<string?> _cluster = new("--cluster")
    {
        Description = "The Redis of a cluster that has the runs, or a file with its address [default: ENSEMBLE__CLUSTER; without it, train in this process]",
        HelpName = "redis://HOST:PORT", Recursive = true,
    };

    private readonly Option<string?> _store = new("--store")
    {
        Description = "An S3-compatible store that has the runs; its endpoint and keys are those of AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY [default: ENSEMBLE__STORE; without it, the folder]",
        HelpName = "s3://BUCKET/PREFIX", Recursive = true,
    };

    private readonly Option<bool> _json = new("--json")
    {
        Description = "Print one JSON object, with progress and errors on standard error.", Recursive = true,
    };

    public SharedOptions() => _runs.RefuseEmpty("a folder");

    public IEnumerable<Option> All => [_runs, _store, _cluster, _lanes, _data, _json];

    public bool Json(ParseResult parsed) => parsed.GetValue(_json);

    public EmbeddedOptions Read(ParseResult parsed)
    {
        var (runs, data) = (parsed.GetValue(_runs)!, parsed.GetValue(_data));
        var (address, source) = ClusterOf(parsed);
        var cluster = address is null ? null : RedisAddress.Parse(address, source);
        if (cluster is not null) RefuseLocal(parsed, source);
        var patience = ServingConfiguration.OfEnvironment().ReadTiming().StoreAnswer;
        if (FirstLook.At(() => FileOnTheWayTo(runs), $"--runs {runs}", patience) is { } file)
            throw new UsageException($"--runs {runs} cannot be a folder, because {file} is a file: it takes the folder of all runs.");
        if (data is not null && !FirstLook.At(() => Directory.Exists(data), $"--data {data}", patience)) throw new UsageException($"--data {data} does not exist: it takes a folder with datasets.");
        return new EmbeddedOptions(runs, data, parsed.GetValue(_lanes)) { Cluster = cluster, Store = cluster is null ? StoreOf(parsed) : null, Patience = patience };
    }

    private static string? FileOnTheWayTo(string runs)
    {
        var folder = Path.GetFullPath(runs);
        FileOperations.BeforeReading("find", folder);
        while (folder is not null && !File.Exists(folder)) folder = Path.GetDirectoryName(folder);
        return folder;
    }

    private ObjectStoreAddress? StoreOf(ParseResult parsed)
    {
        if (parsed.GetValue(_store) is { } given) return ObjectStoreAddress.Parse(given, _store.Name);
        return Environment.GetEnvironmentVariable(StoreVariable) is { Length: > 0 } variable ? ObjectStoreAddress.Parse(variable, StoreVariable) : null;
    }

    public string? DataFolder(ParseResult parsed) => parsed.GetValue(_data);

    /// <returns>Null if the runs are a cluster's.</returns>
    public EmbeddedOptions? LocalRuns(ParseResult parsed) => ClusterOf(parsed).Address is null ? new EmbeddedOptions(parsed.GetValue(_runs)!, DataFolder(parsed), null) : null;

    /// <summary>A command line to go on with that finds the same runs.</summary>
    public string Suggest(ParseResult parsed, string command)
    {
        var options = new Option<string?>[] { _runs!, _store, _cluster, _data }.Select(option => (option.Name, Value: WithoutPassword(parsed.GetValue(option))));
        var given = options.Where(option => option.Value is not (null or DefaultRuns)).Select(option => $" {option.Name} {Quote(option.Value!)}");
        return $"ensemble {command}{string.Concat(given)}";
    }

    /// <summary>
    /// The option, or the setting that silos have, too: a variable, or a file of the folder that ENSEMBLE__SECRETS names. Neither shows
    /// a password in the list of processes.
    /// </summary>
    private (string? Address, string Source) ClusterOf(ParseResult parsed)
    {
        if (parsed.GetValue(_cluster) is { } given) return (given, _cluster.Name);
        if (Environment.GetEnvironmentVariable(ClusterVariable) is { Length: > 0 } variable) return (variable, ClusterVariable);
        if (Environment.GetEnvironmentVariable(SecretsVariable) is not { Length: > 0 } secrets) return (null, "");
        var file = Path.Combine(secrets, ClusterVariable);
        return File.Exists(file) ? (file, SecretsVariable) : (null, "");
    }

    private void RefuseLocal(ParseResult parsed, string source)
    {
        var wayOut = source == _cluster.Name ? "" : $" Unset {source} to train in this process.";
        if (parsed.GetResult(_runs) is { Implicit: false })
            throw new UsageException($"--runs and {source} exclude each other: the silos of the cluster know where its runs lie.{wayOut}");
        if (parsed.GetResult(_store) is { Implicit: false })
            throw new UsageException($"--store and {source} exclude each other: the silos of the cluster know where its runs lie.{wayOut}");
        if (parsed.GetResult(_lanes) is { Implicit: false })
            throw new UsageException($"--lanes and {source} exclude each other: each silo of the cluster has its own --lanes.{wayOut}");
    }

    /// <summary>What is printed may be kept.</summary>
    private static string? WithoutPassword(string? value) =>
        value is not null && Uri.TryCreate(value, UriKind.Absolute, out var uri) && uri.UserInfo.Length > 0 ? value.Replace($"{uri.UserInfo}@", "", StringComparison.Ordinal) : value;

    private static string Quote(string value) => value.Any(char.IsWhiteSpace) ? $"'{value}'" : value;
}
