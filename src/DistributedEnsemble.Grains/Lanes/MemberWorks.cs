using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Plans;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Members;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Files;
using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Grains.Lanes;

/// <summary>Trains members on the lanes' threads.</summary>
internal sealed class MemberWorks(EnsembleTrainingOptions options, PlanCache plans, IRunOwnership ownership, TimeProvider time, ILogger<MemberWork> log) : ILaneWorks
{
    // What another host wrote, a shared folder may show a little later.
    private readonly TimeSpan _patience = ownership.OutlivesProcess && options.Storage.LagsBehind ? MemberWork.PatienceWithSharedFolders : TimeSpan.Zero;

    public LaneWork Create(KnownRun run, Assignment assignment, ICoordinator coordinator) =>
        new MemberWork(run, assignment, options.FolderOf(run.Key.Name), plans, coordinator, _patience, time, log);
}
