using DistributedEnsemble.Grains.Lanes;
using DistributedEnsemble.Grains.Plans;
using DistributedEnsemble.Grains.Predictions;
using DistributedEnsemble.Grains.Scheduling;
using DistributedEnsemble.Grains.Security;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Grains.Stores.Files;
using DistributedEnsemble.Grains.Stores.Objects;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace DistributedEnsemble.Grains.Hosting;

/// <summary>Makes a silo train and serve ensembles.</summary>
public static class EnsembleSiloBuilderExtensions
{
    /// <summary>Grains whose silo is remembered: some ten thousands of members, and whoever else is called.</summary>
    private const int KnownGrains = 1 << 16;

    /// <summary>Lets a silo train and serve ensembles. Clustering and endpoints are the host's own choice.</summary>
    public static ISiloBuilder AddEnsembleTraining(this ISiloBuilder silo, Action<EnsembleTrainingOptions>? configure = null)
    {
        silo.Services.AddOptions<EnsembleTrainingOptions>()
            .Configure(options => configure?.Invoke(options))
            .Validate(options => options.Lanes >= 1, "A silo needs at least one lane.")
            .Validate(options => options.Limits.Fault() is null, "A limit is out of range.")
            .Validate(options => options.Timing.Fault() is null, "A time does not fit the others.");
        silo.Services.AddSingleton(services => services.GetRequiredService<IOptions<EnsembleTrainingOptions>>().Value);
        // The runtime sets memory for all of them aside at the start: 9 MB for its million.
        silo.Services.Configure<GrainDirectoryOptions>(directory => directory.CacheSize = KnownGrains);
        silo.Services.AddExceptionsOnTheWire();
        silo.Services.AddSingleton<FileRunStore>();
        silo.Services.AddSingleton<LockedFolders>();
        silo.Services.AddSingleton<ObjectRunStore>();
        silo.Services.AddSingleton<IRunDirectory>(services => InObjects(services) ? services.GetRequiredService<ObjectRunStore>() : services.GetRequiredService<FileRunStore>());
        silo.Services.AddSingleton<IRunStore>(services => InObjects(services) ? services.GetRequiredService<ObjectRunStore>() : services.GetRequiredService<FileRunStore>());
        silo.Services.AddSingleton<IRunOwnership>(services => InObjects(services) ? services.GetRequiredService<ObjectRunStore>() : services.GetRequiredService<LockedFolders>());
        silo.Services.AddSingleton<PlanCache>();
        silo.Services.AddSingleton<RunDefinitions>();
        silo.Services.AddSingleton<RunModelCache>();
        silo.Services.AddSingleton<ILaneWorks, MemberWorks>();
        silo.Services.AddSingleton<LanePool>();
        silo.Services.AddSingleton<PredictionThreads>();
        silo.Services.AddSingleton<PredictionCounters>();
        silo.Services.AddSingleton<ConstituentCache>();
        silo.Services.AddSingleton<LocalAggregators>();
        silo.Services.AddSingleton<ConstituentPredictor>();
        silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, SiloAnnouncer>();
        return silo.AddIncomingGrainCallFilter<CallsOfSilos>().AddActivityPropagation();

        static bool InObjects(IServiceProvider services) => services.GetRequiredService<EnsembleTrainingOptions>().Store is not null;
    }
}
