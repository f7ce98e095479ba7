using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Runtime.InteropServices;
using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Files;
using DistributedEnsemble.Grains.Security;
using DistributedEnsemble.Grains.Stores.Objects;
using DistributedEnsemble.Grains.Stores.Redis;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Serving;
using DistributedEnsemble.Serving.Hosting;
using DistributedEnsemble.Serving.Processes;

namespace DistributedEnsemble.Silo;

/// <summary>A silo as a program: trains and serves runs, alone or with others of a cluster.</summary>
internal static class SiloCommand
{
    /// <summary>What a silo says that was asked to stop too early.</summary>
    public const string StoppedBefore = "Stopped before the silo was ready.";

    private static readonly Option<string> Cluster = new("--cluster")
    {
        Description = "The Redis that the silos of a cluster share: redis://[user:password@]host[:port], or rediss:// for TLS; or a file that holds it (default: a cluster of its own).", HelpName = "URL",
    };

    private static readonly Option<string> Runs = new("--runs") { Description = "Folder of the runs, shared by all silos; with --store, of what is on its way (default: runs).", HelpName = "DIR" };
    private static readonly Option<string> Store = new("--store")
    {
        Description = "An S3-compatible store that has the runs' files, so that silos share no folder; its endpoint and keys are those of AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (default: the folder).",
        HelpName = "s3://BUCKET/PREFIX",
    };

    private static readonly Option<string> Data = new("--data") { Description = "Folder with data files.", HelpName = "DIR" };
    private static readonly Option<int?> Lanes = new("--lanes") { Description = "Training threads (default: the cores).", HelpName = "N", CustomParser = Number };
    private static readonly Option<string> Priority = new("--lane-priority")
    {
        Description = "What training takes of processors that others want: low is a tenth, idle is nothing (default: idle with --http, for predictions to come first; low without).", HelpName = "low|idle",
    };

    private static readonly Option<string> Address = new("--address") { Description = "IP address to listen on, which the others reach (default: loopback).", HelpName = "IP" };
    private static readonly Option<int?> SiloPort = new("--silo-port") { Description = "Port for other silos (default: the first free one from 11111).", HelpName = "P", CustomParser = Number };
    private static readonly Option<int?> GatewayPort = new("--gateway-port") { Description = "Port for clients (default: the first free one from 30000).", HelpName = "P", CustomParser = Number };
    private static readonly Option<string> Http = new("--http") { Description = "Where to serve HTTP (default: not at all).", HelpName = "URL" };

    private static readonly Option<string> Grpc = new("--grpc") { Description = "Where to serve gRPC, beside HTTP (default: not at all).", HelpName = "URL" };

    public static RootCommand Create()
    {
        var command = new RootCommand("A silo that trains and serves ensembles. Each option is also an environment variable, as in ENSEMBLE__RUNS and ENSEMBLE__SILOPORT.")
        {
            Cluster, Runs, Store, Data, Lanes, Priority, Address, SiloPort, GatewayPort, Http, Grpc,
        };
        command.Subcommands.Add(ProbeCommand.Create());
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        // The members of a silo that has started take checkpoints first, however often it is asked; half a start has none to wait for.
        StopLimit? limit = null;
        using var stop = Interruption.By(
            exitCode =>
            {
                if (limit is not { HasStarted: true }) ProcessEnd.AtOnce(exitCode);
            },
            PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGQUIT, PosixSignal.SIGHUP);
        using var ends = limit = new StopLimit(stop);
        try
        {
            // Settings lie beside the program: a file of the folder where it happens to be started is somebody else's.
            var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });
            builder.Configuration.AddSecretFiles();
            await SiloProgram.RunAsync(builder, Settings(builder.Configuration, arguments), limit.Started, stop.Token);
            return ExitCode.Ok;
        }
        catch (OperationCanceledException) when (stop.IsAsked)
        {
            await Console.Error.WriteLineAsync(StoppedBefore);
            return stop.ExitCode;
        }
        catch (Exception exception) when (exception is SiloSettingsException or RunsFolderException or RedisAddressException or ObjectStoreAddressException or TlsException or HttpSettingsException or DirectoryNotFoundException)
        {
            return await EndAsync(exception, ExitCode.Usage);
        }
        catch (Exception exception) when (exception is RedisUnreachableException or StorageAwayException)
        {
            return await EndAsync(exception, ExitCode.Unreachable);
        }
        catch (IOException exception)
        {
            return await EndAsync(exception, ExitCode.Failed);
        }
    }

    private static int? Number(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (int.TryParse(text, CultureInfo.InvariantCulture, out var number)) return number;
        result.AddError($"{((OptionResult)result.Parent!).Option.Name} is {OneLine.Excerpt(text)}: it takes a whole number.");
        return null;
    }

    private static SiloSettings Settings(ConfigurationManager configuration, ParseResult arguments)
    {
        SiloSettings settings;
        try
        {
            settings = configuration.GetSection("Ensemble").Get<SiloSettings>() ?? new SiloSettings();
        }
        catch (InvalidOperationException exception)
        {
            throw new SiloSettingsException(UnreadableSetting.InWords(exception, "…"));
        }

        return settings with
        {
            Cluster = arguments.GetValue(Cluster) ?? settings.Cluster,
            Runs = arguments.GetValue(Runs) ?? settings.Runs,
            Store = arguments.GetValue(Store) ?? settings.Store,
            Data = arguments.GetValue(Data) ?? settings.Data,
            Lanes = arguments.GetValue(Lanes) ?? settings.Lanes,
            LanePriority = arguments.GetValue(Priority) ?? settings.LanePriority,
            Address = arguments.GetValue(Address) ?? settings.Address,
            SiloPort = arguments.GetValue(SiloPort) ?? settings.SiloPort,
            GatewayPort = arguments.GetValue(GatewayPort) ?? settings.GatewayPort,
            Http = arguments.GetValue(Http) ?? settings.Http,
            Grpc = arguments.GetValue(Grpc) ?? settings.Grpc,
        };
    }

    private static async Task<int> EndAsync(Exception exception, int exitCode)
    {
        await Console.Error.WriteLineAsync(OneLine.Of(exception.Message));
        return exitCode;
    }
}
