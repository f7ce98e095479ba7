using System.Collections.Immutable;
using DistributedEnsemble.Grains.Files;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Plans;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Grains.Telemetry;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace DistributedEnsemble.Grains.Scheduling;

/// <inheritdoc cref="IScheduler"/>
/// <remarks>A shell around <see cref="PlacementMachine"/>: it tells the machine what happens, and does what the machine says.</remarks>
[Reentrant, KeepAlive]
internal sealed partial class SchedulerGrain(
    PlanCache plans, RunDefinitions definitions, IRunDirectory directory, IClusterMembershipService membership, EnsembleTrainingOptions options,
    TimeProvider time, ILogger<SchedulerGrain> log) : Grain, IScheduler, IIncomingGrainCallFilter
{
    private static readonly TimeSpan s_period = TimeSpan.FromSeconds(1), s_betweenCleanings = TimeSpan.FromMinutes(1);

    private PlacementState _state = new() { Since = time.GetElapsedTime(0), Timing = options.Timing };
    private long? _cleanedAt;
    private bool _hasWarned;
    private int _counted;

    private TimeSpan Now => time.GetElapsedTime(0);

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        await ListUnfinishedAsync();
        this.RegisterGrainTimer(_ => RecoverAsync(), new GrainTimerCreationOptions { DueTime = TimeSpan.Zero, Period = s_period, Interleave = true });
    }

    /// <summary>The next scheduler, on whatever silo, counts anew.</summary>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        Measurements.RunsUnfinished.Add(-_counted);
        _counted = 0;
        return Task.CompletedTask;
    }

    /// <summary>A report counts only if it comes from the silo that it speaks of.</summary>
    public Task Invoke(IIncomingGrainCallContext context)
    {
        if (context.InterfaceMethod.Name == nameof(IScheduler.AnnounceAsync)
            && (context.Request.GetArgument(0) is not SiloReport report || !SiloReports.IsOf(report, context.SourceId)))
        {
            throw new RunRejectedException("A silo reports of itself alone.");
        }

        return context.Invoke();
    }

    public async Task ResumeAsync(RunKey run, CancellationToken cancellationToken)
    {
        var known = await definitions.OfAsync(run);
        // Whoever gives it up does not wait until the data is there, which is then freed.
        var members = await Task.Run(() => Refusing(() =>
        {
            plans.Check(known);
            return EnsembleSpec.FromJson(known.Definition.Spec).Members;
        }), cancellationToken).WaitAsync(cancellationToken);
        // One that is unfinished counts already.
        if (_state.Runs.All(active => active.Run != run)) await AdmitAsync(members, GoOnAsync);
        else await GoOnAsync();

        async Task<RunKey> GoOnAsync()
        {
            // From here on it goes on.
            cancellationToken.ThrowIfCancellationRequested();
            await Coordinator(run).ResumeAsync();
            Apply(new RunAdded(run, members));
            return run;
        }
    }

    public Task<RunKey?> FindAsync(string name, CancellationToken cancellationToken) =>
        RunName.IsValid(name) ? directory.FindAsync(name).WaitAsync(cancellationToken) : Task.FromResult<RunKey?>(null);

    public Task<ImmutableArray<RunKey>> ListAsync(CancellationToken cancellationToken) => Task.FromResult<ImmutableArray<RunKey>>([.. _state.Runs.Select(active => active.Run)]);

    public async Task<ImmutableArray<RunKey>> ListAllAsync(string? after, CancellationToken cancellationToken) =>
        [.. (await directory.AllAsync(cancellationToken).WaitAsync(cancellationToken)).Where(run => string.CompareOrdinal(run.Name, after) > 0).Take(options.Limits.MaxListed)];

    public Task AnnounceAsync(SiloReport report)
    {
        if (SiloReports.IsWellFormed(report))
        {
            Apply(new SiloAnnounced(report));
        }
        else
        {
            // It is passed over, and the others count.
            if (!_hasWarned) log.ReportMalformed();
            _hasWarned = true;
        }

        return Task.CompletedTask;
    }

    public Task RunChangedAsync(RunKey run)
    {
        Apply(new RunChanged(run));
        return Task.CompletedTask;
    }

    private async Task RecoverAsync()
    {
        Apply(new PlacementDue());
        if (_cleanedAt is { } cleaned && time.GetElapsedTime(cleaned) <= s_betweenCleanings) return;
        _cleanedAt = time.GetTimestamp();
        await Task.Run(() => Uploads.RemoveExpired(options, time.GetUtcNow()));
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
