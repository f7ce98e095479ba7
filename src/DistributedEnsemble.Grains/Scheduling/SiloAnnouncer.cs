using System.Collections.Immutable;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Lanes;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Tasks;
using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Grains.Scheduling;

/// <summary>
/// Tells the scheduler what this silo has and does, and the coordinators where their members are, while the silo is active.
/// </summary>
internal sealed class SiloAnnouncer(
    IGrainFactory grains, ILocalSiloDetails silo, IClusterMembershipService membership, IRunOwnership ownership, LanePool lanes,
    EnsembleTrainingOptions options, TimeProvider time,
    ILogger<SiloAnnouncer> log) : ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    private static readonly TimeSpan ProgressPeriod = TimeSpan.FromMilliseconds(250), AnnouncePeriod = TimeSpan.FromSeconds(1);

    /// <summary>Members that begin or end within this time are one change, longer where many train: a report has all of them.</summary>
    private static readonly TimeSpan s_gathering = TimeSpan.FromMilliseconds(5), s_gatheringOfMember = TimeSpan.FromMilliseconds(0.25);

    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _changed = new(0);
    private Task _announcing = Task.CompletedTask, _reporting = Task.CompletedTask, _watching = Task.CompletedTask;

    public void Participate(ISiloLifecycle lifecycle) =>
        lifecycle.Subscribe(nameof(SiloAnnouncer), ServiceLifecycleStage.Active, StartAsync, StopAsync);

    public void Dispose()
    {
        _stopping.Dispose();
        _changed.Dispose();
    }

    private Task StartAsync(CancellationToken cancellationToken)
    {
        lanes.Changed += () => _changed.Release();
        _announcing = Task.Run(AnnounceAllAsync, CancellationToken.None);
        _reporting = Task.Run(ReportAllAsync, CancellationToken.None);
        _watching = Task.Run(WatchAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    private async Task StopAsync(CancellationToken cancellationToken)
    {
        if (ownership.OutlivesProcess) await HandOverAsync(cancellationToken);
        await _stopping.CancelAsync();
        await Task.Run(lanes.Dispose, CancellationToken.None);
        await Task.WhenAll(_announcing, _reporting, _watching);
    }

    /// <summary>Lets other silos go on with this one's members from where they are.</summary>
    private async Task HandOverAsync(CancellationToken cancellationToken)
    {
        try
        {
            await lanes.HandOverAsync(cancellationToken).WaitAsync(options.Timing.HandOver, time, cancellationToken);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            log.NotHandedOver(exception);
        }
    }

    /// <summary>Who comes or goes changes what is where: the scheduler hears of it at once, wherever it is by then.</summary>
    private async Task WatchAsync()
    {
        try
        {
            await foreach (var _ in membership.MembershipUpdates.WithCancellation(_stopping.Token)) _changed.Release();
        }
        catch (OperationCanceledException)
        {
            // The silo is stopping.
        }
    }

    private async Task AnnounceAllAsync()
    {
        var machine = ThisMachine.Describe();
        while (!_stopping.IsCancellationRequested)
        {
            await TryAsync(() => grains.GetGrain<IScheduler>(IScheduler.Key).AnnounceAsync(Report(machine)));
            await QuietlyAsync(_changed.WaitAsync(AnnouncePeriod, _stopping.Token));
            await QuietlyAsync(Task.Delay(s_gathering + (lanes.Works.Length * s_gatheringOfMember), time, _stopping.Token));
            while (_changed.Wait(0, CancellationToken.None))
            {
            }
        }
    }

    private async Task ReportAllAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            foreach (var run in lanes.Works.GroupBy(work => work.Run))
            {
                ImmutableArray<MemberProgress> progress = [.. run.Select(work => work.Progress ?? new MemberProgress(work.Attempt, work.LaneNumbers[0], 0, null, 0))];
                await TryAsync(() => grains.GetGrain<ICoordinator>(run.Key.ToString()).ReportProgressAsync(progress));
            }

            await QuietlyAsync(Task.Delay(ProgressPeriod, time, _stopping.Token));
        }
    }

    private SiloReport Report(MachineInfo machine) => new(
        silo.SiloAddress.ToParsableString(), silo.SiloAddress.Endpoint.ToString(), lanes.Lanes, machine, [.. Datasets()],
        [.. lanes.Works.Select(work => new LaneUse(work.Run, work.Attempt, work.Threads))], [.. options.Networks.Kinds], [.. TaskRegistry.All.Keys]);

    /// <summary>Those whose data this silo finds now.</summary>
    private IEnumerable<string> Datasets()
    {
        var folders = new DataFolders(options.DataFolder);
        return options.Datasets.Sources.Where(source => source.Locate(folders).Found is not null).Select(source => source.Name);
    }

    /// <summary>A cluster in change may not answer; the next period tries again.</summary>
    private async Task TryAsync(Func<Task> call)
    {
        try
        {
            await call();
        }
        catch (Exception exception) when (!_stopping.IsCancellationRequested)
        {
            log.NotAnnounced(exception);
        }
        catch (Exception)
        {
            // The silo is stopping; nobody waits for the answer.
        }
    }

    private static async Task QuietlyAsync(Task task) => await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
