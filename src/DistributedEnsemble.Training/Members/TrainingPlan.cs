using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Distillation;
using DistributedEnsemble.Training.Networks;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Randomness;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Members;

/// <summary>All that members of a run share: spec, data, splits, and the plan of each of them. Immutable; used by many threads.</summary>
public sealed class TrainingPlan
{
    private readonly Lazy<Samples> _validation;
    private readonly MemberPlan[] _members;
    private readonly Lazy<SoftTargets?> _soft;

    /// <param name="soft">Has what a student learns of its teacher, when the first member is trained.</param>
    /// <param name="numbers">The bins of numbers that are embedded, as a run recorded them; null finds them among the rows that train.</param>
    /// <exception cref="SpecException">The spec does not fit the data.</exception>
    public TrainingPlan(EnsembleSpec spec, Dataset dataset, NetworkRegistry networks, RandomSource? random = null, Func<SoftTargets?>? soft = null, IReadOnlyList<NumberInput>? numbers = null)
    {
        _soft = new Lazy<SoftTargets?>(soft ?? (() => null));
        (Spec, Dataset) = (spec, dataset);
        Random = random ?? new RandomSource(spec.Seed);
        Split = ValidationSplit.Draw(dataset.Train, dataset.Task, spec.Data.ValidationFraction, Random);
        Rows = new MemberRows(spec.Data, dataset.Train, dataset.Task, Split, Random);
        FurtherRows = spec.Distillation is null ? 0 : Distillation.FurtherRows.CountOf(spec.Distillation, Split);
        Task = dataset.Task.For(spec.OfMember(0));
        Inputs = dataset.Inputs with { Numbers = new(() => numbers ?? NumberInputs.Of(dataset, Split)) };
        Networks = new MemberNetworks(spec, Inputs, Task.Outputs, networks, Random);
        foreach (var member in Networks.Variants) _ = Networks.Of(member);
        _members = [.. Enumerable.Range(0, spec.Members).Select(PlanOf)];
        _validation = new Lazy<Samples>(() => dataset.Train.Chosen(Split.Validation));
        CheckPrediction();
    }

    /// <summary>The plan of a run that was started before, on the data that it was started with.</summary>
    /// <param name="load">Loads a dataset as a run knows it.</param>
    /// <param name="soft">Has what a student learns of its teacher; not asked unless a member is trained.</param>
    /// <exception cref="DataException">The data is missing, or is not what it was.</exception>
    public static TrainingPlan Restore(
        string run, RunDefinition definition, Func<EnsembleSpec, DataDescription, Dataset> load, NetworkRegistry networks, Func<EnsembleSpec, Dataset, SoftTargets>? soft = null)
    {
        var spec = EnsembleSpec.FromJson(definition.Spec);
        var recorded = DataDescription.FromJson(definition.Data);
        var dataset = load(spec, recorded);
        return dataset.Sha256 == recorded.Sha256 ? new TrainingPlan(spec, dataset, networks, soft: spec.Distillation is null || soft is null ? null : () => soft(spec, dataset), numbers: recorded.Numbers) : throw new DataException(
            $"Dataset \"{spec.Data.Dataset}\" has changed since run \"{run}\" began: its SHA-256 is {dataset.Sha256}, "
            + $"the run's is {recorded.Sha256}. Bring the old data back, or start a new run.");
    }

    public EnsembleSpec Spec { get; }
    public Dataset Dataset { get; }

    /// <summary>What the run answers. Its loss is a member's: <see cref="MemberPlan.Task"/>.</summary>
    public LearningTask Task { get; }
    public RandomSource Random { get; }
    public ValidationSplit Split { get; }

    /// <summary>What members learn of the run's teacher; null of a run without one.</summary>
    /// <exception cref="DataException">The run's folder has it no more, and the teacher is missing or has changed.</exception>
    public SoftTargets? SoftTargets => _soft.Value;

    /// <summary>What a member begins with: random weights, or those of a model of its teacher.</summary>
    internal Weights StartOf(int member)
    {
        var layout = Of(member).Network.Layout;
        var weights = Weights.Initialize(layout, Random, member);
        if (SoftTargets?.Start is { } start && layout.Fits(Of(0).Network.Layout)) start.CopyTo(weights, member);
        return weights;
    }

    /// <summary>Which of the training rows each member sees.</summary>
    internal MemberRows Rows { get; }

    /// <summary>How many rows a teacher alone labels.</summary>
    internal int FurtherRows { get; }

    public MemberNetworks Networks { get; }

    /// <summary>What networks are given.</summary>
    internal NetworkInputs Inputs { get; }

    /// <summary>In order of their indices.</summary>
    public IReadOnlyList<MemberPlan> Members => _members;

    public MemberPlan Of(int member) => _members[member];

    /// <summary>The rows that a model is measured on.</summary>
    /// <exception cref="ArgumentException">Of rows out of fold, each model has its own.</exception>
    public Samples Samples(DataPart part) => part switch
    {
        DataPart.Test => Dataset.Test,
        DataPart.Validation => _validation.Value,
        DataPart.OutOfFold => throw new ArgumentException("Each model has its own rows out of fold.", nameof(part)),
    };

    /// <summary>The rows that choose, calibrate and score: out of fold where members do not see all, else the validation split; null without either.</summary>
    public DataPart? Measuring => Spec.Data.HasOutOfFold ? DataPart.OutOfFold : Split.Validation.Length > 0 ? DataPart.Validation : null;

    /// <summary>The targets of a part's rows.</summary>
    public float[] Targets(DataPart part) =>
        part == DataPart.OutOfFold ? [.. Split.Training.Select(row => Dataset.Train.Targets[row])] : Samples(part).Targets;

    /// <summary>A model's answers to rows of the run's own data, on the calling thread; out of fold, to those of them that its member did not see.</summary>
    /// <exception cref="OperationCanceledException">Between two batches.</exception>
    internal double[] Predict(IPredictor predictor, int member, RowRange rows, CancellationToken cancellation = default)
    {
        if (rows.Part != DataPart.OutOfFold) return BatchedPrediction.OfRows(predictor, Samples(rows.Part), rows.Start, rows.Count, cancellation);
        var unseen = Rows.UnseenBy(member);
        using var inputs = Dataset.Train.Chosen([.. Enumerable.Range(rows.Start, rows.Count).Where(place => unseen[place]).Select(place => Split.Training[place])]);
        return BatchedPrediction.OfRows(predictor, inputs, 0, (int)inputs.Count, cancellation);
    }

    private MemberPlan PlanOf(int member)
    {
        try
        {
            return new MemberPlan(this, member);
        }
        catch (SpecException error)
        {
            throw Spec.ErrorOf(member, error);
        }
    }

    /// <summary>Makes sure that the run can be trained, and not only evaluated.</summary>
    /// <exception cref="SpecException">A network cannot train on a batch of one row that a step has, or the run is of former times, and nothing trains like that any more.</exception>
    public void RequireTrainable()
    {
        foreach (var plan in _members)
        {
            if (plan.WhyUntrainable is { } reason) throw Spec.ErrorOf(plan.Member, new SpecException(reason));
        }

        if (!Spec.Training.WasBFloat16) return;
        throw new SpecException("training.precision is bfloat16: nothing trains in it any more. Evaluate the run and predict with the models that it has, "
            + "or start a new one, which computes in float32.");
    }

    /// <summary>What the spec alone does not say: found before the run is trained, not when it is evaluated.</summary>
    private void CheckPrediction()
    {
        var prediction = Spec.Prediction;
        if (prediction.Select == "greedy" && Split.Validation.Length == 0 && !Spec.Data.HasOutOfFold)
        {
            throw new SpecException(
                $"prediction.select is \"greedy\": greedy selection needs validation rows, and data.validationFraction {Spec.Data.ValidationFraction} "
                + $"of {Split.TrainingCount} rows is none (raise it, or select all).");
        }

        if (Task.NeedsFit && Split.Validation.Length == 0 && !Spec.Data.HasOutOfFold)
        {
            throw new SpecException(
                $"training.likelihood is squared-error: the validation rows say its variance, and data.validationFraction {Spec.Data.ValidationFraction} "
                + $"of {Split.TrainingCount} rows is none (raise it, or choose gaussian).");
        }

        if (prediction.MonteCarloSamples > 0 && !Networks.HasDropout)
        {
            throw new SpecException(
                $"prediction.monteCarloSamples is {prediction.MonteCarloSamples}: Monte-Carlo prediction averages over dropout masks, and "
                + $"model.kind \"{Spec.Model.Kind}\" builds a network without dropout (choose another kind, or 0 samples).");
        }
    }
}
