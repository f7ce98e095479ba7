using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Members;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Training.Files;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.TestingHost;

namespace DistributedEnsemble.Grains.Tests;

/// <summary>A cluster inside the test's process, with a runs folder of its own that goes with it.</summary>
internal sealed class EnsembleCluster : IAsyncDisposable
{
    private readonly InProcessTestCluster _cluster;
    private readonly bool _ownsFolder;

    private EnsembleCluster(InProcessTestCluster cluster, string runs, bool ownsFolder) =>
        (_cluster, RunsFolder, _ownsFolder) = (cluster, runs, ownsFolder);

    public string RunsFolder { get; }

    public IClusterClient Client => _cluster.Client;

    public IScheduler Scheduler => _cluster.Client.GetGrain<IScheduler>(IScheduler.Key);

    public static async Task<EnsembleCluster> StartAsync(
        int silos = 1, int lanes = 2, string? runsFolder = null, Action<EnsembleTrainingOptions>? configure = null,
        Action<ISiloBuilder>? configureSilo = null, TimeSpan? responseTimeout = null, Action<IClientBuilder>? configureClient = null)
    {
        var runs = runsFolder ?? Directory.CreateTempSubdirectory("ensemble-").FullName;
        var builder = new InProcessTestClusterBuilder((short)silos);
        builder.ConfigureSilo((_, silo) => silo.AddEnsembleTraining(options =>
        {
            (options.RunsFolder, options.Lanes) = (runs, lanes);
            options.Datasets.Add(new Training.Tests.Waves());
            options.Datasets.Add(new Training.Tests.MixedTables());
            configure?.Invoke(options);
        }));
        if (configureSilo is not null) builder.ConfigureSilo((_, silo) => configureSilo(silo));
        if (configureClient is not null) builder.ConfigureClient(configureClient);
        if (responseTimeout is { } limit)
        {
            builder.ConfigureSilo((_, silo) => silo.Configure<SiloMessagingOptions>(options => options.ResponseTimeout = limit));
            builder.ConfigureClient(client => client.Configure<ClientMessagingOptions>(options => options.ResponseTimeout = limit));
        }

        var cluster = builder.Build();
        await cluster.DeployAsync();
        return new EnsembleCluster(cluster, runs, runsFolder is null);
    }

    public ICoordinator Coordinator(RunKey run) => _cluster.Client.GetGrain<ICoordinator>(run.ToString());

    public IAggregator Aggregator(RunKey run) => _cluster.Client.GetGrain<IAggregator>(run.ToString());

    /// <summary>As silos call it.</summary>
    public ICoordinator CoordinatorOfSilos(RunKey run) => Silo.GetGrain<ICoordinator>(run.ToString());

    /// <summary>As a client calls it, who may not.</summary>
    public IMember MemberOfClients(RunKey run, int member) => _cluster.Client.GetGrain<IMember>(MemberKey.Of(run, member));

    public IMember Member(RunKey run, int member) => Silo.GetGrain<IMember>(MemberKey.Of(run, member));

    /// <summary>Calls grains as a service of the silo.</summary>
    public IGrainFactory Silo => _cluster.Silos[0].ServiceProvider.GetRequiredService<IGrainFactory>();

    public IEnumerable<SiloAddress> Silos => _cluster.Silos.Select(silo => silo.SiloAddress);

    /// <summary>Where the grain is in memory, whatever directories and their caches say: on two silos while it moves.</summary>
    public async Task<IReadOnlyList<SiloAddress>> SilosOfAsync(IAddressable grain) =>
        [.. (await _cluster.Client.GetGrain<IManagementGrain>(0).GetDetailedGrainStatistics()).Where(found => found.GrainId == grain.GetGrainId()).Select(found => found.SiloAddress)];

    public IRunFiles Files(RunKey run) => _cluster.Client.GetGrain<IRunFiles>(run.ToString());

    public IUpload Upload(string name) => _cluster.Client.GetGrain<IUpload>(name);

    /// <summary>Activations of grains whose class has the word in its name.</summary>
    public async Task<int> CountAsync(string kind) =>
        (await _cluster.Client.GetGrain<IManagementGrain>(0).GetSimpleGrainStatistics())
        .Where(grains => grains.GrainType.Contains(kind, StringComparison.OrdinalIgnoreCase)).Sum(grains => grains.ActivationCount);

    public RunFolder Folder(RunKey run) => new(RunsFolder, run.Name);

    public Task<RunKey> SubmitAsync(string spec) => Scheduler.SubmitAsync(new Submission(spec));

    public Task ResumeAsync(RunKey run) => Scheduler.ResumeAsync(run, TestContext.Current.CancellationToken);

    public async Task<RunStatus> TrainAsync(string spec) => await WhenAsync(await SubmitAsync(spec), status => status.HasEnded);

    /// <summary>Asks until the condition holds; the time limit of the test run ends a wait in vain.</summary>
    public async Task<RunStatus> WhenAsync(RunKey run, Func<RunStatus, bool> condition)
    {
        while (true)
        {
            var status = await Coordinator(run).GetStatusAsync();
            if (condition(status)) return status;
            Assert.False(status.HasEnded, $"The run ended as {status.State} ({status.Reason}) before the condition held.");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        if (_ownsFolder) Directory.Delete(RunsFolder, recursive: true);
    }
}
