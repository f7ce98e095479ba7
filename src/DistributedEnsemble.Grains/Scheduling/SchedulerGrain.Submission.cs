using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Plans;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Members;

namespace DistributedEnsemble.Grains.Scheduling;

/// <content>Takes new runs. What is cheap to check comes before the data is loaded.</content>
internal sealed partial class SchedulerGrain
{
    private readonly SemaphoreSlim _measuring = new(1);
    private int _runsComing, _membersComing;

    public async Task<RunKey> SubmitAsync(Submission submission, CancellationToken cancellationToken)
    {
        // The pool sees none of this grain's state: turns change it meanwhile.
        var lanes = _state.AliveAt(Now).Select(silo => silo.Report.Lanes).DefaultIfEmpty(options.Lanes).Max();
        var (document, spec) = await Task.Run(() => Refusing(() =>
        {
            var parsed = SpecDocument.Parse(submission.Spec);
            return (parsed, plans.Resolve(parsed, submission.NamesPaths));
        }));
        if (spec.ThreadsPerMember > lanes)
        {
            throw new RunRejectedException(
                $"threadsPerMember is {spec.ThreadsPerMember}: no silo has more than {lanes} lanes. Take fewer threads, or start silos with more lanes.");
        }

        return await AdmitAsync(spec.Members, async () =>
        {
            await CheckStoreAsync(spec.Name);
            return await StartAsync(document, submission.NamesPaths, cancellationToken);
        });
    }

    public async Task<TrainingPace> MeasureAsync(Submission submission, CancellationToken cancellationToken)
    {
        var document = await Task.Run(() => Refusing(() => SpecDocument.Parse(submission.Spec)));
        var asked = await Task.Run(() => Refusing(() => plans.Resolve(document, submission.NamesPaths)));
        await CheckQuotasAsync(asked.Members);
        await CheckStoreAsync(asked.Name);
        // It holds its data, and trains on as many threads as there are lanes: two at once would measure each other.
        await _measuring.WaitAsync(cancellationToken);
        try
        {
            return await MeasureAsync(document, submission.NamesPaths, cancellationToken);
        }
        finally
        {
            _measuring.Release();
        }
    }

    private async Task<TrainingPace> MeasureAsync(SpecDocument document, bool namesPaths, CancellationToken cancellation)
    {
        using var data = await LoadAsync(document, namesPaths, cancellation);
        var spec = await Task.Run(() => Refusing(() => plans.Resolve(document, namesPaths, data.Dataset)));
        var pace = await Task.Run(() => Refusing(() => PaceMeasurement.Of(plans.Plan(spec, data.Dataset), options.Lanes, cancellation)));
        // The run is about to be submitted.
        data.HandOn();
        return pace;
    }

    /// <summary>Begins a run, or lets one go on, if there is room for it, which it takes from now on.</summary>
    /// <exception cref="RunRejectedException">There are as many unfinished runs or members as there may be.</exception>
    private async Task<RunKey> AdmitAsync(int members, Func<Task<RunKey>> begin)
    {
        await CheckQuotasAsync(members);
        (_runsComing, _membersComing) = (_runsComing + 1, _membersComing + members);
        try
        {
            return await begin();
        }
        finally
        {
            (_runsComing, _membersComing) = (_runsComing - 1, _membersComing - members);
        }
    }

    /// <exception cref="RunRejectedException">There are as many unfinished runs or members as there may be.</exception>
    private async Task CheckQuotasAsync(int members)
    {
        await Task.WhenAll([.. _state.Runs.Where(run => run.Members == 0).Select(run => CountAsync(run.Run))]);
        var limits = options.Limits;
        var runs = _state.Runs.Length + _runsComing;
        if (runs >= limits.MaxUnfinishedRuns)
        {
            throw new RunRejectedException(
                $"{runs:N0} {(runs == 1 ? "run is" : "runs are")} unfinished, and this cluster takes {limits.MaxUnfinishedRuns:N0} at a time: wait until one ends, or stop one ({Limits.Name(nameof(limits.MaxUnfinishedRuns))}).")
            {
                IsForNow = true,
            };
        }

        var others = _state.Runs.Sum(run => (long)run.Members) + _membersComing;
        if (others + members > limits.MaxUnfinishedMembers)
        {
            throw new RunRejectedException(
                $"members is {members:N0}: the unfinished runs have {others:N0}, and this cluster takes {limits.MaxUnfinishedMembers:N0} at a time "
                + $"({Limits.Name(nameof(limits.MaxUnfinishedMembers))}). Take fewer, or wait until a run ends.")
            {
                // More than may ever be is too many at any time.
                IsForNow = members <= limits.MaxUnfinishedMembers,
            };
        }
    }

    /// <summary>A run that a scheduler before this one began is known by its name alone until it says how it is.</summary>
    private async Task CountAsync(RunKey run)
    {
        try
        {
            Apply(new RunCounted(run, EnsembleSpec.FromJson((await definitions.OfAsync(run)).Definition.Spec).Members));
        }
        catch (RunRejectedException)
        {
            Apply(new RunUnknown(run));
        }
        catch (Exception exception)
        {
            // Whatever is wrong with one run, others begin.
            if (_silent.Add(run)) log.RunSilent(exception, run);
        }
    }

    /// <exception cref="RunRejectedException">The name is taken, or there is no room for another run.</exception>
    private async Task CheckStoreAsync(string? name)
    {
        if (name is not null && await IsTakenAsync(name)) throw Taken(name);
        var count = await directory.CountAsync();
        if (count >= options.Limits.MaxRuns)
        {
            throw new RunRejectedException(
                $"{count:N0} {(count == 1 ? "run is" : "runs are")} in the store, and it takes {options.Limits.MaxRuns:N0} ({Limits.Name(nameof(Limits.MaxRuns))}): delete those that nobody needs.");
        }
    }

    private async Task<bool> IsTakenAsync(string name)
    {
        try
        {
            // One that could neither begin nor give its name back is none.
            return await directory.FindAsync(name) is { } run && !await HasVacatedAsync(run);
        }
        catch (InvalidDataException)
        {
            // A damaged record keeps its name.
            return true;
        }
    }

    /// <returns>Not for a run that does not answer: it keeps its name.</returns>
    private async Task<bool> HasVacatedAsync(RunKey run)
    {
        try
        {
            return await GrainFactory.GetGrain<ICoordinator>(run.ToString()).VacateAsync();
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            return false;
        }
    }

    private async Task<RunKey> StartAsync(SpecDocument document, bool namesPaths, CancellationToken cancellation)
    {
        using var data = await LoadAsync(document, namesPaths, cancellation);
        var spec = await Task.Run(() => Refusing(() => plans.Resolve(document, namesPaths, data.Dataset)));
        var lesson = await Task.Run(() => Refusing(() => plans.Teach(spec, namesPaths, data.Dataset)));
        spec = lesson?.Spec ?? spec;
        var refused = new HashSet<string>();
        while (true)
        {
            var (run, plan) = await Task.Run(() => Refusing(() => PlanNew(spec, data.Dataset, refused)));
            var description = Refusing(() => DataDescription.Of(plan)) with { Dataset = NameOf(spec.Data.Dataset, data.Dataset.Name) };
            var request = new RunRequest(plan.Spec.ToJson(), description.ToJson(), [.. plan.Members.Select(member => member.Load)], plan.Networks.Inexact);
            // From here on there is a run.
            cancellation.ThrowIfCancellationRequested();
            if (await GrainFactory.GetGrain<ICoordinator>(run.ToString()).StartAsync(request))
            {
                if (lesson is { Targets: var targets }) await Task.Run(() => targets.TryWrite(options.FolderOf(run.Name)), CancellationToken.None);
                Apply(new RunAdded(run, spec.Members));
                data.HandOn();
                return run;
            }

            // A name that was chosen here went to another process meanwhile, or is that of a run without files; the next number may be free.
            if (spec.Name is { } name) throw Taken(name);
            refused.Add(run.Name);
        }
    }

    private (RunKey Run, TrainingPlan Plan) PlanNew(EnsembleSpec spec, Dataset data, HashSet<string> refused)
    {
        var plan = plans.Plan(spec with { Name = spec.Name ?? FreeName(spec, refused) }, data);
        return (RunKey.New(plan.Spec.Name!), plan);
    }

    /// <exception cref="RunRejectedException">The data cannot be had, or has more columns than may be; those of a table are counted before its rows are read.</exception>
    /// <exception cref="OperationCanceledException">Nobody waits for it any more; it is freed when it is there.</exception>
    private async Task<PlanCache.DataUse> LoadAsync(SpecDocument document, bool namesPaths, CancellationToken cancellation)
    {
        var given = document.Data.Dataset;
        if (await Task.Run(() => Refusing(() => plans.CountColumns(document, namesPaths)), cancellation) is { } columns) CheckColumns(given, columns);
        var loading = Task.Run(() => Refusing(() => plans.Load(document, namesPaths)), cancellation);
        try
        {
            var data = await loading.WaitAsync(cancellation);
            CheckColumns(given, data.Dataset.Columns.Count);
            return data;
        }
        catch
        {
            loading.ContinueWith(late => late.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default).Ignore();
            throw;
        }
    }

    private void CheckColumns(string dataset, int count)
    {
        if (count <= options.Limits.MaxColumns) return;
        throw new RunRejectedException(
            $"{NameOf(dataset, Path.GetFileName(dataset))} has {count:N0} columns, and this cluster takes {options.Limits.MaxColumns:N0} ({Limits.Name(nameof(Limits.MaxColumns))}). Choose among them before.");
    }

    /// <summary>What the one who submits calls the data: others may have sent the same bytes under another name.</summary>
    private static string NameOf(string dataset, string otherwise) => UploadedName.Parse(dataset)?.Name ?? otherwise;

    /// <summary>DATASET-N with the first free number.</summary>
    /// <param name="refused">Names that could not be had, though the storage has nothing of them.</param>
    private string FreeName(EnsembleSpec spec, HashSet<string> refused)
    {
        var dataset = UploadedName.Parse(spec.Data.Dataset)?.Name ?? spec.Data.Dataset;
        var stem = RunName.From(Path.GetFileNameWithoutExtension(dataset));
        return Enumerable.Range(1, int.MaxValue).Select(n => $"{stem}-{n}")
            .First(candidate => !refused.Contains(candidate) && !options.Storage.Has(candidate));
    }

    private RunRejectedException Taken(string name) => new($"Run \"{name}\" already exists in {options.Storage.Place}.")
    {
        Remedy = RunRemedy.ResumeOrRename, Run = name,
    };
}
