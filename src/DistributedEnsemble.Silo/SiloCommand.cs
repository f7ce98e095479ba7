using System.CommandLine;
using DistributedEnsemble.Grains;

namespace DistributedEnsemble.Silo;

/// <summary>A silo as a program: trains and serves the runs of whoever connects to its gateway on loopback.</summary>
internal static class SiloCommand
{
    private static readonly Option<string> Runs = new("--runs") { Description = "Folder of the runs.", HelpName = "DIR" };
    private static readonly Option<string> Data = new("--data") { Description = "Folder with data files.", HelpName = "DIR" };
    private static readonly Option<int?> Lanes = new("--lanes") { Description = "Training threads (default: the cores).", HelpName = "N" };
    private static readonly Option<int?> SiloPort = new("--silo-port") { Description = "Port for other silos (default: 11111).", HelpName = "P" };
    private static readonly Option<int?> GatewayPort = new("--gateway-port") { Description = "Port for clients (default: 30000).", HelpName = "P" };

    public static RootCommand Create()
    {
        var command = new RootCommand("A silo that trains and serves ensembles. Each option is also an environment variable: ENSEMBLE__RUNS.")
        {
            Runs, Data, Lanes, SiloPort, GatewayPort,
        };
        command.Subcommands.Add(ProbeCommand.Create());
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        try
        {
            builder.Configuration.AddSecretFiles();
        }
        catch (DirectoryNotFoundException exception)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return 2;
        }
        var settings = builder.Configuration.GetSection("Ensemble").Get<SiloSettings>() ?? new SiloSettings();
        settings = settings with
        {
            Runs = arguments.GetValue(Runs) ?? settings.Runs,
            Data = arguments.GetValue(Data) ?? settings.Data,
            Lanes = arguments.GetValue(Lanes) ?? settings.Lanes,
            SiloPort = arguments.GetValue(SiloPort) ?? settings.SiloPort,
            GatewayPort = arguments.GetValue(GatewayPort) ?? settings.GatewayPort,
        };
        if (settings.Lanes < 1)
        {
            await Console.Error.WriteLineAsync($"--lanes is {settings.Lanes}: a silo needs at least one lane.");
            return 2;
        }

        builder.UseOrleans(silo => silo
            .UseLocalhostClustering(settings.SiloPort, settings.GatewayPort)
            .AddEnsembleTraining(options =>
            {
                options.RunsFolder = settings.Runs;
                options.DataFolder = settings.Data;
                options.Lanes = settings.Lanes;
            }));
        await builder.Build().RunAsync(cancellationToken);
        return 0;
    }

    private sealed record SiloSettings
    {
        public string Runs { get; init; } = "runs";
        public string? Data { get; init; }
        public int Lanes { get; init; } = Environment.ProcessorCount;
        public int SiloPort { get; init; } = 11111;
        public int GatewayPort { get; init; } = 30000;
    }
}
