using System.Collections.Immutable;
using DistributedEnsemble.Training;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace DistributedEnsemble.Grains;

/// <summary>
/// Tells the scheduler what this silo has and does, and the coordinators where their members are, while the silo is active.
/// </summary>
internal sealed class SiloAnnouncer(
    IGrainFactory grains, ILocalSiloDetails silo, LanePool lanes, EnsembleTrainingOptions options, TimeProvider time,
    ILogger<SiloAnnouncer> log) : ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    private static readonly TimeSpan ProgressPeriod = TimeSpan.FromMilliseconds(250), AnnouncePeriod = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _changed = new(0);
    private Task _announcing = Task.CompletedTask, _reporting = Task.CompletedTask;

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
        return Task.CompletedTask;
    }

    private async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await Task.Run(lanes.Dispose, CancellationToken.None);
        await Task.WhenAll(_announcing, _reporting);
    }

    private async Task AnnounceAllAsync()
    {
        var machine = ThisMachine.Describe();
        while (!_stopping.IsCancellationRequested)
        {
            await TryAsync(() => grains.GetGrain<IScheduler>(IScheduler.Key).AnnounceAsync(Report(machine)));
            await QuietlyAsync(_changed.WaitAsync(AnnouncePeriod, _stopping.Token));
        }
    }

    private async Task ReportAllAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            foreach (var run in lanes.Works.GroupBy(work => work.Run))
            {
                ImmutableArray<MemberProgress> progress = [.. run.Select(work => work.Progress).OfType<MemberProgress>()];
                await TryAsync(() => grains.GetGrain<ICoordinator>(run.Key.ToString()).ReportProgressAsync(progress));
            }

            await QuietlyAsync(Task.Delay(ProgressPeriod, time, _stopping.Token));
        }
    }

    private SiloReport Report(MachineInfo machine) => new(
        silo.SiloAddress.ToParsableString(), silo.SiloAddress.Endpoint.ToString(), lanes.Lanes, machine, [.. options.Datasets.Sources.Select(source => source.Name)],
        [.. lanes.Works.Select(work => new LaneUse(work.Run, work.Attempt, work.Threads))]);

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
