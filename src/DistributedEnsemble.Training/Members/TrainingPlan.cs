using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training;

/// <summary>All that members of a run share: spec, data, network, and what follows from them. Immutable; used by many threads.</summary>
public sealed class TrainingPlan
{
    private readonly Lazy<Samples> _validation;

    /// <exception cref="SpecException">The spec does not fit the data.</exception>
    public TrainingPlan(EnsembleSpec spec, Dataset dataset, NetworkRegistry networks, RandomSource? random = null)
    {
        (Spec, Dataset) = (spec, dataset);
        Random = random ?? new RandomSource(spec.Seed);
        Split = ValidationSplit.Draw(dataset.Train, dataset.Task, spec.Data.ValidationFraction, Random);
        Task = dataset.Task.For(spec, Split.Training.Select(row => dataset.Train.Targets[row]));
        Network = networks.Build(spec, dataset.Inputs, Task.Outputs);
        var batchSize = Math.Min(spec.Training.BatchSize, Split.Training.Length);
        StepsPerEpoch = (Split.Training.Length + batchSize - 1) / batchSize;
        var steps = (long)StepsPerEpoch * spec.Training.Epochs;
        Steps = steps <= MostSteps ? (int)steps : throw new SpecException(
            $"training.epochs is {spec.Training.Epochs}: with {StepsPerEpoch} steps each that is over {MostSteps} steps. Train fewer epochs.");
        LearningRate = LearningRate.Create(spec, Steps, StepsPerEpoch);
        _validation = new Lazy<Samples>(() => dataset.Train.Rows(Split.Validation));
        SnapshotSteps = SnapshotsOf(spec.Snapshots?.PerMember ?? 1, Steps);
        Averaging = AveragingSchedule.Of(spec, Steps);
        CheckPrediction();
    }

    /// <summary>The plan of a run that was started before, on the data that it was started with.</summary>
    /// <param name="load">Loads a dataset as a run knows it.</param>
    /// <exception cref="DataException">The data is missing, or is not what it was.</exception>
    public static TrainingPlan Restore(string run, RunDefinition definition, Func<DataSpec, DataDescription, Dataset> load, NetworkRegistry networks)
    {
        var spec = EnsembleSpec.FromJson(definition.Spec);
        var recorded = DataDescription.FromJson(definition.Data);
        var dataset = load(spec.Data, recorded);
        return dataset.Sha256 == recorded.Sha256 ? new TrainingPlan(spec, dataset, networks) : throw new DataException(
            $"Dataset \"{spec.Data.Dataset}\" has changed since run \"{run}\" began: its SHA-256 is {dataset.Sha256}, "
            + $"the run's is {recorded.Sha256}. Bring the old data back, or start a new run.");
    }

    public EnsembleSpec Spec { get; }
    public Dataset Dataset { get; }

    /// <summary>What the members learn, as the spec wants it.</summary>
    public LearningTask Task { get; }
    public Network Network { get; }
    public RandomSource Random { get; }
    public ValidationSplit Split { get; }
    public LearningRate LearningRate { get; }

    /// <summary>T, of one member.</summary>
    public int Steps { get; }
    public int StepsPerEpoch { get; }

    /// <summary>The steps at which a member's weights are kept, ascending; the last is T.</summary>
    public IReadOnlySet<int> SnapshotSteps { get; }

    /// <summary>When weights are averaged; null if they are not.</summary>
    public AveragingSchedule? Averaging { get; }

    /// <summary>The rows that a model is measured on.</summary>
    public Samples Samples(DataPart part) => part == DataPart.Test ? Dataset.Test : _validation.Value;

    /// <summary>Whether a metric line is written at a step.</summary>
    public bool IsLogged(int step) => step % Spec.Logging.EverySteps == 0 || step == Steps;

    /// <summary>Makes sure that the run can be trained, and not only evaluated.</summary>
    /// <exception cref="SpecException">It is of former times, and nothing trains like that any more.</exception>
    public void RequireTrainable()
    {
        if (!Spec.Training.WasBFloat16) return;
        throw new SpecException("training.precision is bfloat16: nothing trains in it any more. Evaluate the run and predict with the models that it has, "
            + "or start a new one, which computes in float32.");
    }

    /// <summary>What the spec alone does not say: found before the run is trained, not when it is evaluated.</summary>
    private void CheckPrediction()
    {
        var prediction = Spec.Prediction;
        if (prediction.Select == "greedy" && Split.Validation.Length == 0)
        {
            throw new SpecException(
                $"prediction.select is \"greedy\": greedy selection needs validation rows, and data.validationFraction {Spec.Data.ValidationFraction} "
                + $"of {Split.Training.Length} rows is none (raise it, or select all).");
        }

        if (Task.NeedsFit && Split.Validation.Length == 0)
        {
            throw new SpecException(
                $"training.likelihood is squared-error: the validation rows say its variance, and data.validationFraction {Spec.Data.ValidationFraction} "
                + $"of {Split.Training.Length} rows is none (raise it, or choose gaussian).");
        }

        if (prediction.MonteCarloSamples > 0 && !Network.HasDropout)
        {
            throw new SpecException(
                $"prediction.monteCarloSamples is {prediction.MonteCarloSamples}: Monte-Carlo prediction averages over dropout masks, and "
                + $"model.kind \"{Spec.Model.Kind}\" builds a network without dropout (choose another kind, or 0 samples).");
        }
    }

    private static HashSet<int> SnapshotsOf(int perMember, int steps) =>
        perMember <= steps
            ? [.. Enumerable.Range(1, perMember).Select(i => EqualParts.End(i, steps, perMember))]
            : throw new SpecException(
                $"snapshots.perMember is {perMember}: a member has only {steps} steps. Take fewer snapshots or train longer.");

    private const int MostSteps = 1_000_000_000;
}
