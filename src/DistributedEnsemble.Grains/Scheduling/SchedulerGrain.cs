using System.Collections.Immutable;
using DistributedEnsemble.Training;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace DistributedEnsemble.Grains;

/// <inheritdoc cref="IScheduler"/>
[Reentrant, KeepAlive]
internal sealed partial class SchedulerGrain(
    PlanCache plans, IRunDirectory directory, ISiloStatusOracle membership, EnsembleTrainingOptions options, TimeProvider time,
    ILogger<SchedulerGrain> log) : Grain, IScheduler
{
    private static readonly TimeSpan RecoveryPeriod = TimeSpan.FromSeconds(1), s_betweenListings = TimeSpan.FromSeconds(5);

    private readonly KnownSilos _silos = new(membership, time);
    private readonly List<ActiveRun> _runs = [];
    private bool _isPlacing, _placeAgain;
    private long _listedAt;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        await ListUnfinishedAsync();
        this.RegisterGrainTimer(
            _ => RecoverAsync(), new GrainTimerCreationOptions { DueTime = TimeSpan.Zero, Period = RecoveryPeriod, Interleave = true });
    }

    public async Task<RunKey> SubmitAsync(Submission submission)
    {
        while (true)
        {
            var (run, plan) = await Task.Run(() => PlanNew(submission));
            var data = DataDescription.Of(plan.Dataset, plan.Split.Validation.Length).ToJson();
            var request = new RunRequest(plan.Spec.ToJson(), data, plan.Steps, plan.StepsPerEpoch);
            if (await GrainFactory.GetGrain<ICoordinator>(run.ToString()).StartAsync(request))
            {
                Add(run);
                return run;
            }

            // A name that was chosen here went to another process meanwhile; the next number is free.
            if (SpecDocument.Parse(submission.Spec).Name is not null)
            {
                throw new RunRejectedException($"Run \"{run.Name}\" already exists in {Path.GetFullPath(options.RunsFolder)}.")
                {
                    Remedy = RunRemedy.ResumeOrRename, Run = run.Name,
                };
            }
        }
    }

    public async Task ResumeAsync(RunKey run)
    {
        var coordinator = GrainFactory.GetGrain<ICoordinator>(run.ToString());
        var definition = await coordinator.GetDefinitionAsync();
        var plan = await Task.Run(() => Refusing(() => plans.PlanAgain(run, definition)));
        await coordinator.ResumeAsync();
        Add(run);
    }

    public Task<RunKey?> FindAsync(string name) => RunName.IsValid(name) ? directory.FindAsync(name) : Task.FromResult<RunKey?>(null);

    public Task<ImmutableArray<RunKey>> ListAsync() => Task.FromResult<ImmutableArray<RunKey>>([.. _runs.Select(active => active.Run)]);

    public Task<ImmutableArray<RunKey>> ListAllAsync() => directory.AllAsync();

    public Task AnnounceAsync(SiloReport report)
    {
        _silos.Hear(report);
        Place();
        return Task.CompletedTask;
    }

    public Task RunChangedAsync(RunKey run)
    {
        if (_runs.FirstOrDefault(active => active.Run == run) is { } known) known.MayWait = true;
        Place();
        return Task.CompletedTask;
    }

    private void Add(RunKey run)
    {
        if (_runs.FirstOrDefault(active => active.Run == run) is { } known) known.MayWait = true;
        else _runs.Add(new ActiveRun(run));
        Place();
    }

    /// <summary>
    /// Asks every run how it is: that brings coordinators back whose silo died, and they notice members that died with it.
    /// </summary>
    private async Task RecoverAsync()
    {
        foreach (var run in _runs) run.MayWait = true;
        Place();
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

    /// <summary>Completes and checks the spec; loads the data.</summary>
    private (RunKey Run, TrainingPlan Plan) PlanNew(Submission submission) => Refusing(() =>
    {
        var plan = plans.Plan(SpecDocument.Parse(submission.Spec), NameFor);
        var lanes = _silos.Alive.Select(silo => silo.Lanes).DefaultIfEmpty(options.Lanes).Max();
        return plan.Spec.ThreadsPerMember <= lanes ? (RunKey.New(plan.Spec.Name!), plan) : throw new SpecException(
            $"threadsPerMember is {plan.Spec.ThreadsPerMember}: no silo has more than {lanes} lanes. Take fewer threads, or start silos with more --lanes.");
    });

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

    /// <summary>A name that was asked for, or DATASET-N with the first free number.</summary>
    private string NameFor(EnsembleSpec spec)
    {
        if (spec.Name is { } name) return name;
        var dataset = UploadedName.Parse(spec.Data.Dataset)?.Name ?? spec.Data.Dataset;
        var stem = RunName.From(Path.GetFileNameWithoutExtension(dataset));
        return Enumerable.Range(1, int.MaxValue).Select(n => $"{stem}-{n}")
            .First(candidate => !Directory.Exists(new RunFolder(options.RunsFolder, candidate).Root));
    }
}
