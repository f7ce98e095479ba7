using System.Collections.Immutable;
using DistributedEnsemble.Training;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace DistributedEnsemble.Grains;

/// <inheritdoc cref="IScheduler"/>
[Reentrant, KeepAlive]
internal sealed partial class SchedulerGrain(
    PlanCache plans, RunDefinitions definitions, IRunDirectory directory, ISiloStatusOracle membership, EnsembleTrainingOptions options,
    TimeProvider time, ILogger<SchedulerGrain> log) : Grain, IScheduler, IIncomingGrainCallFilter
{
    private static readonly TimeSpan RecoveryPeriod = TimeSpan.FromSeconds(1), s_betweenListings = TimeSpan.FromSeconds(5), s_betweenCleanings = TimeSpan.FromMinutes(1);

    private readonly KnownSilos _silos = new(membership, time, log);
    private readonly List<ActiveRun> _runs = [];
    private bool _isPlacing, _placeAgain;
    private long _listedAt;
    private long? _cleanedAt;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        await ListUnfinishedAsync();
        this.RegisterGrainTimer(
            _ => RecoverAsync(), new GrainTimerCreationOptions { DueTime = TimeSpan.Zero, Period = RecoveryPeriod, Interleave = true });
    }

    /// <summary>A report counts only if it comes from the silo that it speaks of.</summary>
    public Task Invoke(IIncomingGrainCallContext context)
    {
        if (context.InterfaceMethod.Name == nameof(IScheduler.AnnounceAsync)
            && (context.Request.GetArgument(0) is not SiloReport report || !KnownSilos.IsOf(report, context.SourceId)))
        {
            throw new RunRejectedException("A silo reports of itself alone.");
        }

        return context.Invoke();
    }

    public async Task ResumeAsync(RunKey run)
    {
        var known = await definitions.OfAsync(run);
        await Task.Run(() => Refusing(() =>
        {
            plans.Check(known);
            return known;
        }));
        await GrainFactory.GetGrain<ICoordinator>(run.ToString()).ResumeAsync();
        Add(run);
    }

    public Task<RunKey?> FindAsync(string name) => RunName.IsValid(name) ? directory.FindAsync(name) : Task.FromResult<RunKey?>(null);

    public Task<ImmutableArray<RunKey>> ListAsync() => Task.FromResult<ImmutableArray<RunKey>>([.. _runs.Select(active => active.Run)]);

    public async Task<ImmutableArray<RunKey>> ListAllAsync(string? after) =>
        [.. (await directory.AllAsync()).Where(run => string.CompareOrdinal(run.Name, after) > 0).Take(options.Limits.MaxListed)];

    public Task AnnounceAsync(SiloReport report)
    {
        if (_silos.TryHear(report)) Place();
        return Task.CompletedTask;
    }

    public Task RunChangedAsync(RunKey run)
    {
        if (_runs.FirstOrDefault(active => active.Run == run) is { } known) known.MayWait = true;
        Place();
        return Task.CompletedTask;
    }

    private ActiveRun Add(RunKey run)
    {
        if (_runs.FirstOrDefault(active => active.Run == run) is { } known) known.MayWait = true;
        else _runs.Add(known = new ActiveRun(run));
        Place();
        return known;
    }

    /// <summary>
    /// Asks every run how it is: that brings coordinators back whose silo died, and they notice members that died with it.
    /// </summary>
    private async Task RecoverAsync()
    {
        foreach (var run in _runs) run.MayWait = true;
        Place();
        if (_cleanedAt is not { } cleaned || time.GetElapsedTime(cleaned) > s_betweenCleanings)
        {
            _cleanedAt = time.GetTimestamp();
            await Task.Run(() => Uploads.RemoveExpired(options, time.GetUtcNow()));
        }

        if (time.GetElapsedTime(_listedAt) > s_betweenListings) await ListUnfinishedAsync();
    }

    /// <summary>The store knows also runs of whose beginning this scheduler was not told: the word was lost, not the run.</summary>
    private async Task ListUnfinishedAsync()
    {
        _listedAt = time.GetTimestamp();
        foreach (var run in await directory.UnfinishedAsync())
        {
            if (_runs.All(active => active.Run != run)) _runs.Add(new ActiveRun(run));
        }
    }

    /// <summary>What is wrong with a spec or its data is for the one who asked.</summary>
    private static T Refusing<T>(Func<T> plan)
    {
        try
        {
            return plan();
        }
        catch (Exception exception) when (exception is SpecException or DataException)
        {
            throw new RunRejectedException(exception.Message);
        }
    }
}
