using DistributedEnsemble.Files;
using DistributedEnsemble.Grains.Files;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Stores;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Distillation;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Tables;
using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Grains.Plans;

/// <summary>The data and plans of a silo: each is loaded once and shared by all that use it, and freed some time after the last one.</summary>
internal sealed class PlanCache : IDisposable
{
    private readonly EnsembleTrainingOptions _options;
    private readonly Func<DataFolders> _folders;
    private readonly bool _recordsNamePaths;
    private readonly SharedValues<DataKey, Dataset> _datasets;
    private readonly SharedValues<(RunKey Run, string Definition), LoadedPlan> _plans;

    public PlanCache(EnsembleTrainingOptions options, IRunOwnership ownership, TimeProvider time, ILogger<PlanCache> log)
    {
        _options = options;
        _folders = () => options.FoldersOfData(log);
        // Clients of a cluster are not this machine's users.
        _recordsNamePaths = !ownership.OutlivesProcess;
        _datasets = new(options.Limits.DataLinger, time, dataset => dataset.Dispose());
        _plans = new(options.Limits.DataLinger, time, plan => plan.Data.Drop());
    }

    /// <summary>Datasets that are kept.</summary>
    public int Datasets => _datasets.Count;

    /// <summary>Completes a spec by what its dataset brings.</summary>
    /// <param name="dataset">Null before it is loaded: what is wrong with the rest of the spec takes no time to find.</param>
    /// <param name="namesPaths">Whether the one who submits may name files of this machine, if it reads such.</param>
    /// <exception cref="SpecException">The spec is not one.</exception>
    /// <exception cref="DataException">There is no such data.</exception>
    public EnsembleSpec Resolve(SpecDocument document, bool namesPaths, Dataset? dataset = null) => document.Resolve(
        dataset?.Defaults ?? _options.Resolve(document.Data, _options.ReadsPaths && namesPaths).Source.Defaults, _options.Networks.Kinds);

    /// <summary>How many columns the data of a run to be has, by its beginning; null if only loading tells.</summary>
    /// <exception cref="DataException">The data cannot be had.</exception>
    public int? CountColumns(SpecDocument document, bool namesPaths)
    {
        var (source, data) = _options.Resolve(document.Data, _options.ReadsPaths && namesPaths);
        return source.CountColumns(new DataFolders(_options.DataFolder), data);
    }

    /// <summary>The data of a run to be; takes as long as loading it.</summary>
    /// <exception cref="DataException">The data cannot be had.</exception>
    public DataUse Load(SpecDocument document, bool namesPaths)
    {
        var spec = Resolve(document, namesPaths);
        return new DataUse(Load(spec, Teacher.DataOf(_options.Storage, spec), _options.ReadsPaths && namesPaths));
    }

    /// <summary>The plan of a run to be.</summary>
    /// <exception cref="SpecException">The spec does not fit the data, or its members not into memory.</exception>
    public TrainingPlan Plan(EnsembleSpec spec, Dataset dataset)
    {
        var plan = new TrainingPlan(spec, dataset, _options.Networks);
        plan.RequireTrainable();
        return Fitting(plan);
    }

    /// <summary>Asks a student's teacher.</summary>
    /// <param name="namesPaths">Whether the one who submits may name files of this machine, if it reads such.</param>
    /// <returns>Null of a run without a teacher.</returns>
    /// <inheritdoc cref="Lesson.Of" path="/exception"/>
    public Lesson? Teach(EnsembleSpec spec, bool namesPaths, Dataset dataset) => spec.Distillation is null ? null
        : Lesson.Of(_options.Storage, spec, dataset, _options.Networks, name => _options.FindUnlabelled(name, _options.ReadsPaths && namesPaths));

    /// <summary>Makes sure that a run can go on here, where there may be less memory than where it began.</summary>
    /// <exception cref="SpecException">Its members do not fit, or nothing trains like that any more.</exception>
    /// <exception cref="DataException">The data is not what the run was started with.</exception>
    public void Check(KnownRun run)
    {
        using var use = Take(run);
        use.Plan.RequireTrainable();
        _ = use.Plan.SoftTargets;
        Fitting(use.Plan);
    }

    /// <summary>The plan of a run that was started, on whatever silo; its data is kept until the use ends.</summary>
    /// <exception cref="DataException">The data is not what the run was started with.</exception>
    public PlanUse Take(KnownRun run) => new(_plans.Take((run.Key, run.Sha256), () => Restore(run)));

    public void Dispose()
    {
        _plans.Dispose();
        _datasets.Dispose();
    }

    private LoadedPlan Restore(KnownRun run)
    {
        SharedValues<DataKey, Dataset>.Loan? data = null;
        try
        {
            var plan = TrainingPlan.Restore(
                run.Key.Name, run.Definition, (spec, recorded) => (data = Load(spec, recorded, _recordsNamePaths)).Value, _options.Networks,
                (spec, dataset) => SoftTargets.Of(
                    _options.FolderOf(run.Key.Name), spec, dataset, _options.Networks, name => _options.FindUnlabelled(name, _recordsNamePaths)));
            return new LoadedPlan(plan, data!);
        }
        catch
        {
            data?.Drop();
            throw;
        }
    }

    private TrainingPlan Fitting(TrainingPlan plan)
    {
        TrainingMemory.Check(plan, _options.Lanes, TrainingMemory.Available());
        return plan;
    }

    /// <param name="recorded">How a run that was started before, or a student's teacher, knows the data.</param>
    private SharedValues<DataKey, Dataset>.Loan Load(EnsembleSpec spec, DataDescription? recorded, bool readsPaths)
    {
        var (source, found) = _options.Resolve(spec.Data, readsPaths);
        var reading = recorded?.Reading;
        // What a file is taken for today is, of most runs, what they recorded.
        if (reading is not null && _datasets.TakeMade(KeyOf(spec, source, null)) is { } today)
        {
            if (DataDescription.ReadingOf(today.Value) == reading) return today;
            today.Dispose();
        }

        var data = _datasets.Take(KeyOf(spec, source, reading), () => source.Load(_folders(), spec with { Data = found }, recorded));
        try
        {
            if (reading is not null || _datasets.TakeMade(KeyOf(spec, source, DataDescription.ReadingOf(data.Value))) is not { } same) return data;
            data.Drop();
            return same;
        }
        catch
        {
            data.Drop();
            throw;
        }
    }

    /// <summary>What clients call a file is no part of what it is: the same bytes under another name are the same data.</summary>
    /// <param name="reading">As a run or a teacher recorded it: another version may take the same file for something else. Null of what it is taken for today.</param>
    private static DataKey KeyOf(EnsembleSpec spec, IDatasetSource source, string? reading)
    {
        // Only a table is encoded by what the rows that train say of it.
        var isSplit = source is TableSource && spec.Data.ValidationFraction > 0;
        var data = spec.Data with
        {
            Dataset = UploadedName.Parse(spec.Data.Dataset)?.Sha256 ?? spec.Data.Dataset,
            Test = spec.Data.Test is { } test ? UploadedName.Parse(test)?.Sha256 ?? test : null,
            ValidationFraction = isSplit ? spec.Data.ValidationFraction : 0,
            // Targets have other units then.
            Bootstrap = spec.Data.HasOutOfFold,
            Folds = 0,
            Columns = 1,
        };
        return new DataKey(data, isSplit ? spec.Seed : 0, reading);
    }

    internal sealed record DataKey(DataSpec Data, ulong Seed, string? Reading);

    internal sealed record LoadedPlan(TrainingPlan Plan, SharedValues<DataKey, Dataset>.Loan Data);

    /// <summary>One use of data.</summary>
    public sealed class DataUse : IDisposable
    {
        private readonly SharedValues<DataKey, Dataset>.Loan _loan;

        internal DataUse(SharedValues<DataKey, Dataset>.Loan loan) => _loan = loan;

        public Dataset Dataset => _loan.Value;

        /// <summary>Ends the use; nobody is expected who needs the data next.</summary>
        public void Dispose() => _loan.Drop();

        /// <summary>Ends the use; members are about to need the data.</summary>
        public void HandOn() => _loan.Dispose();
    }

    /// <summary>One use of a plan.</summary>
    public sealed class PlanUse : IDisposable
    {
        private readonly SharedValues<(RunKey Run, string Definition), LoadedPlan>.Loan _loan;

        internal PlanUse(SharedValues<(RunKey Run, string Definition), LoadedPlan>.Loan loan) => _loan = loan;

        public TrainingPlan Plan => _loan.Value.Plan;

        public void Dispose() => _loan.Dispose();
    }
}
