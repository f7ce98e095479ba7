using System.Text.Json.Serialization;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Evaluation;

namespace DistributedEnsemble.Training.Tasks;

/// <summary>
/// What is predicted, described by the data: the target; the numbers that a network gives for a row, their loss and its gradient;
/// the answers that are made of them, which are averaged over models; and what is said of an average. Immutable; used by many
/// threads.
/// </summary>
/// <remarks>A new task is one file and one line of <see cref="TaskRegistry"/>.</remarks>
public abstract record LearningTask
{
    /// <summary>As specs, files and answers call it.</summary>
    [JsonIgnore]
    public abstract string Name { get; }

    [JsonIgnore]
    public abstract TaskKind Kind { get; }

    /// <summary>The column that is predicted; null where targets have no column.</summary>
    public string? Target { get; init; }

    /// <summary>What targets are, in words: the classes, or the range.</summary>
    [JsonIgnore]
    public abstract string Outcomes { get; }

    /// <summary>What is wrong with the description; null if nothing is.</summary>
    public abstract string? Fault();

    /// <summary>The task as a run's spec wants it.</summary>
    /// <param name="targets">Of the rows that are trained on; none for those who only predict.</param>
    /// <exception cref="SpecException">The spec does not fit the task.</exception>
    public abstract LearningTask For(EnsembleSpec spec, IEnumerable<float>? targets = null);

    /// <summary>Groups of rows of which the validation split takes the same share.</summary>
    [JsonIgnore]
    public abstract int Strata { get; }

    /// <summary>The group of a row, below <see cref="Strata"/>.</summary>
    public abstract int Stratum(float target);

    /// <summary>Numbers that a network gives for each row.</summary>
    [JsonIgnore]
    public abstract int Outputs { get; }

    /// <summary>The mean loss of a batch, and its gradient.</summary>
    /// <param name="outputs">[rows, outputs], row after row.</param>
    /// <param name="targets">[rows].</param>
    /// <param name="gradient">[rows, outputs]: overwritten with d(mean loss)/d(outputs).</param>
    public abstract double Loss(ReadOnlySpan<float> outputs, ReadOnlySpan<float> targets, Span<float> gradient);

    /// <summary>Numbers of a row's prediction that a student learns.</summary>
    [JsonIgnore]
    public abstract int SoftWidth { get; }

    /// <summary>What a student learns of an average's answers.</summary>
    /// <param name="answers">[rows, width]; the task is <see cref="Fitted"/> if it needs to be.</param>
    /// <param name="temperature">By which probabilities are softened.</param>
    /// <param name="soft">[rows, soft width]: overwritten.</param>
    public abstract void Soften(ReadOnlySpan<double> answers, double temperature, Span<float> soft);

    /// <summary>The target that a teacher would name, for people who watch the training.</summary>
    /// <param name="soft">[soft width], of a row.</param>
    public abstract float Named(ReadOnlySpan<float> soft);

    /// <summary>The mean loss of a batch against a teacher's predictions, and its gradient.</summary>
    /// <param name="soft">[rows, soft width].</param>
    /// <param name="temperature">As in <see cref="Soften"/>.</param>
    /// <param name="gradient">[rows, outputs]: overwritten.</param>
    public abstract double SoftLoss(ReadOnlySpan<float> outputs, ReadOnlySpan<float> soft, double temperature, Span<float> gradient);

    /// <summary>How good a batch's outputs are, for people who watch the training.</summary>
    public abstract StepQuality StepQuality(ReadOnlySpan<float> outputs, ReadOnlySpan<float> targets);

    /// <summary>Numbers of an answer to one row.</summary>
    [JsonIgnore]
    public abstract int Width { get; }

    /// <summary>A model's answers: numbers whose means over models, or over Monte-Carlo samples, are the answers of the average.</summary>
    /// <param name="outputs">[rows, outputs].</param>
    /// <param name="answers">[rows, width]: overwritten.</param>
    public abstract void Answer(ReadOnlySpan<float> outputs, Span<double> answers);

    /// <summary>What the validation split says of an average.</summary>
    /// <param name="rows">All of the validation split.</param>
    public abstract Measures Fit(AnswerRows rows, ReadOnlySpan<float> targets);

    /// <summary>The task with what <see cref="Fit"/> said.</summary>
    public abstract LearningTask Fitted(Measures fit);

    /// <summary>The task with what the validation split said of the models that answer; as it is where that said nothing.</summary>
    internal LearningTask FittedBy(ValidationFit? fit) => fit is { Fit: { } found } ? Fitted(found) : this;

    /// <summary>How the networks' outputs become a prediction, for people who have the weights alone.</summary>
    [JsonIgnore]
    public abstract string ExportedPrediction { get; }

    /// <summary>Whether there is no prediction before <see cref="Fitted"/>.</summary>
    [JsonIgnore]
    public virtual bool NeedsFit => false;

    /// <summary>How likely one model makes the target of each row; a mean over models is the likelihood of their average.</summary>
    /// <param name="answers">[rows, width].</param>
    public abstract double[] Likelihoods(ReadOnlySpan<double> answers, ReadOnlySpan<float> targets);

    /// <summary>
    /// What rows add to <see cref="Nll"/> of one model. By arithmetic of our own: what is decided by it is decided alike on every
    /// machine.
    /// </summary>
    /// <param name="answers">[rows, width].</param>
    public abstract double Surprise(ReadOnlySpan<double> answers, ReadOnlySpan<float> targets);

    /// <summary>One model's mean negative log-likelihood in the target's units.</summary>
    /// <param name="surprise">The sum over all rows.</param>
    public abstract double Nll(double surprise, long rows);

    /// <summary>How likely each target is to one who knows how these targets are distributed, and nothing of their rows.</summary>
    public abstract double[] PriorLikelihoods(ReadOnlySpan<float> targets);

    /// <summary>What the targets are, in the words or units of the data.</summary>
    public abstract OutputValues Truth(ReadOnlySpan<float> targets);

    /// <summary>Describes <see cref="Truth"/>.</summary>
    [JsonIgnore]
    public abstract OutputDescription TruthColumn { get; }

    /// <summary>How strange each row's target is to an average: what split-conformal prediction sorts.</summary>
    /// <param name="answers">[rows, width], of the average.</param>
    public abstract double[] Strangeness(ReadOnlySpan<double> answers, ReadOnlySpan<float> targets);

    /// <summary>The mean size of the sets or intervals that hold what is at most so strange.</summary>
    /// <param name="answers">[rows, width], of the average.</param>
    public abstract double MeanSize(ReadOnlySpan<double> answers, double strangeness);

    /// <summary>
    /// How likely more members change what is predicted for a row, on a scale of its own: 0 if they cannot. Falls as members are asked
    /// and as these agree.
    /// </summary>
    /// <param name="answer">[width], of the average of the members that were asked.</param>
    /// <param name="asked">Members, 1 or more.</param>
    /// <param name="all">Members that could be asked, more than <paramref name="asked"/>.</param>
    public abstract double Doubt(ReadOnlySpan<double> answer, int asked, int all);

    /// <summary>Whether a row's prediction is another one than that of all members: in what <see cref="Doubt"/> is about.</summary>
    /// <param name="answer">[width], of the average of the members that were asked.</param>
    /// <param name="ofAll">[width], of the average of all.</param>
    public abstract bool IsOther(ReadOnlySpan<double> answer, ReadOnlySpan<double> ofAll);

    /// <summary>A measurement of a model or an average, "nll" among its measures.</summary>
    /// <param name="isCalibrated">Whether of the average after calibration.</param>
    public abstract IMeasurement Quality(bool isCalibrated = false);

    /// <summary>A measurement of how sure an average is.</summary>
    public abstract IMeasurement Uncertainty();

    /// <summary>A measurement of how different models are.</summary>
    /// <param name="rows">Of all that will be added.</param>
    public abstract IDiversity Diversity(int models, int rows);

    /// <summary>What rows are answered with; the first is the default.</summary>
    [JsonIgnore]
    public abstract IReadOnlyList<OutputDescription> Predictions { get; }

    /// <summary>Which of <see cref="Predictions"/> say what one model alone predicts; the first is the default.</summary>
    [JsonIgnore]
    public virtual IReadOnlyList<OutputDescription> MemberPredictions => [Predictions[0]];

    /// <summary>Which of <see cref="Predictions"/> make a row of a table, in the order of its columns.</summary>
    [JsonIgnore]
    public abstract IReadOnlyList<string> Columns { get; }

    /// <summary>Which of <see cref="Predictions"/> a table of them has.</summary>
    /// <param name="coverage">The share of rows that its intervals shall hold; null where none is asked for.</param>
    /// <exception cref="SpecException">A coverage is asked for, and the task answers with no interval.</exception>
    public OutputDescription[] TableColumns(double? coverage) => coverage is null || Columns.Contains("lower")
        ? [.. Columns.Select(name => Predictions.First(output => output.Name == name))]
        : throw new SpecException($"coverage is {coverage}: only a regression predicts intervals, and this run predicts classes. Predict without it.");

    /// <summary>The values of <see cref="Predictions"/>.</summary>
    /// <param name="answers">[rows, width], of an average.</param>
    /// <param name="isCalibrated">Whether they are calibrated as <see cref="Fitted"/> said.</param>
    /// <param name="coverage">The share of rows that intervals shall hold.</param>
    public abstract IReadOnlyList<OutputValues> Predict(
        ReadOnlySpan<double> answers, bool isCalibrated = false, double coverage = PredictionRequest.DefaultCoverage);
}

/// <summary>Measures rows, some at a time.</summary>
public interface IMeasurement
{
    void Add(AnswerRows rows, ReadOnlySpan<float> targets);

    /// <exception cref="InvalidOperationException">No row was added.</exception>
    Measures Result();

    /// <summary>What is known class by class; null unless the task has classes.</summary>
    ClassTable? Classes => null;
}

/// <summary>Measures how different models are, pair by pair.</summary>
public interface IDiversity
{
    /// <summary>Adds rows of one model.</summary>
    /// <param name="start">The first row.</param>
    /// <param name="answers">[rows, width].</param>
    void Add(int model, int start, ReadOnlySpan<double> answers, ReadOnlySpan<float> targets);

    /// <summary>The means over all pairs; null if there is none.</summary>
    Measures? Result();
}
