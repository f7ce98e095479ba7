using System.Collections.Immutable;
using DistributedEnsemble.Training;
using Orleans.Concurrency;

namespace DistributedEnsemble.Grains;

/// <inheritdoc cref="IScheduler"/>
[Reentrant, KeepAlive]
internal sealed class SchedulerGrain(PlanCache plans, IRunDirectory directory, EnsembleTrainingOptions options, TimeProvider time)
    : Grain, IScheduler
{
    private static readonly TimeSpan SilenceOfTheDead = TimeSpan.FromSeconds(15);

    private readonly Dictionary<string, (SiloReport Report, long At)> _silos = [];
    private readonly List<ActiveRun> _runs = [];
    private bool _isPlacing, _placeAgain;

    public async Task<RunKey> SubmitAsync(Submission submission)
    {
        while (true)
        {
            var (run, plan) = await Task.Run(() => PlanNew(submission));
            var data = DataDescription.Of(plan.Dataset, plan.Split.Validation.Length).ToJson();
            var request = new RunRequest(plan.Spec.ToJson(), data, plan.Steps, plan.StepsPerEpoch);
            if (await GrainFactory.GetGrain<ICoordinator>(run.ToString()).StartAsync(request))
            {
                await AddAsync(run, plan.Spec.ThreadsPerMember);
                return run;
            }

            // A name that was chosen here went to another process meanwhile; the next number is free.
            if (SpecDocument.Parse(submission.Spec).Name is not null)
            {
                throw new RunRejectedException($"Run \"{run.Name}\" already exists in {Path.GetFullPath(options.RunsFolder)}. "
                    + $"Resume it with `ensemble resume {run.Name}`, or choose another --name.");
            }
        }
    }

    public async Task ResumeAsync(RunKey run)
    {
        var coordinator = GrainFactory.GetGrain<ICoordinator>(run.ToString());
        var definition = await coordinator.GetDefinitionAsync();
        var plan = await Task.Run(() => Refusing(() => plans.Plan(run, definition)));
        await coordinator.ResumeAsync();
        await AddAsync(run, plan.Spec.ThreadsPerMember);
    }

    public Task<RunKey?> FindAsync(string name) => RunName.IsValid(name) ? directory.FindAsync(name) : Task.FromResult<RunKey?>(null);

    public Task<ImmutableArray<RunKey>> ListAsync() => Task.FromResult<ImmutableArray<RunKey>>([.. _runs.Select(active => active.Run)]);

    public Task AnnounceAsync(SiloReport report)
    {
        _silos[report.Silo] = (report, time.GetTimestamp());
        return PlaceAsync();
    }

    public async Task RunChangedAsync(RunKey run)
    {
        var status = await GrainFactory.GetGrain<ICoordinator>(run.ToString()).GetStatusAsync();
        if (_runs.FirstOrDefault(active => active.Run == run) is not { } known) return;
        known.MayWait = status.State == RunState.Running;
        await PlaceAsync();
    }

    private Task AddAsync(RunKey run, int threads)
    {
        _runs.RemoveAll(active => active.Run == run);
        _runs.Add(new ActiveRun(run, threads));
        return PlaceAsync();
    }

    /// <summary>Completes and checks the spec; loads the data.</summary>
    private (RunKey Run, TrainingPlan Plan) PlanNew(Submission submission) => Refusing(() =>
    {
        var plan = plans.Plan(SpecDocument.Parse(submission.Spec), NameFor);
        var lanes = _silos.Values.Select(silo => silo.Report.Lanes).DefaultIfEmpty(options.Lanes).Max();
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
        var stem = RunName.From(Path.GetFileNameWithoutExtension(spec.Data.Dataset));
        return Enumerable.Range(1, int.MaxValue).Select(n => $"{stem}-{n}")
            .First(candidate => !Directory.Exists(new RunFolder(options.RunsFolder, candidate).Root));
    }

    /// <summary>
    /// Gives free lanes to waiting members, one at a time: to the run that holds the fewest lanes, on the silo that has the
    /// fewest members.
    /// </summary>
    private async Task PlaceAsync()
    {
        _placeAgain = true;
        if (_isPlacing) return;
        _isPlacing = true;
        try
        {
            while (_placeAgain)
            {
                _placeAgain = false;
                while (Next() is var (run, silo)) await PlaceAsync(run, silo);
            }
        }
        finally
        {
            _isPlacing = false;
        }
    }

    private (ActiveRun Run, SiloReport Silo)? Next()
    {
        var silos = _silos.Values.Where(silo => time.GetElapsedTime(silo.At) < SilenceOfTheDead).Select(silo => silo.Report).ToList();
        var choice =
            from run in _runs
            where run.MayWait
            let lanesHeld = silos.Sum(silo => silo.Uses.Where(use => use.Run == run.Run).Sum(use => use.Lanes))
            from silo in silos
            where silo.Lanes - silo.Uses.Sum(use => use.Lanes) >= run.Threads
            orderby lanesHeld, silo.Uses.Length, silo.Silo
            select ((ActiveRun, SiloReport)?)(run, silo);
        return choice.FirstOrDefault();
    }

    private async Task PlaceAsync(ActiveRun run, SiloReport silo)
    {
        var coordinator = GrainFactory.GetGrain<ICoordinator>(run.Run.ToString());
        var assigned = await coordinator.AssignNextAsync(new LaneGrant(silo.Silo, silo.Endpoint, silo.Machine));
        if (assigned is not { } attempt)
        {
            run.MayWait = false;
            return;
        }

        // The silo's own report will say so too; until then the lanes count as used.
        if (_silos.TryGetValue(silo.Silo, out var known) && known.Report.Uses.All(use => use.Run != run.Run || use.Attempt != attempt))
        {
            var uses = known.Report.Uses.Add(new LaneUse(run.Run, attempt, run.Threads));
            _silos[silo.Silo] = known with { Report = known.Report with { Uses = uses } };
        }
    }

    private sealed class ActiveRun(RunKey run, int threads)
    {
        public RunKey Run => run;
        public int Threads => threads;

        /// <summary>Whether a member may be waiting.</summary>
        public bool MayWait { get; set; } = true;
    }
}
