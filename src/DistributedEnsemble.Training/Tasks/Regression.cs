using System.Globalization;
using System.Text.Json.Serialization;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training.Tasks;

/// <summary>
/// A number, learnt as (y − mean) / deviation and answered in the target's own units. With the Gaussian likelihood the outputs
/// are a mean and what softplus makes a variance of; with the squared error a mean alone, and the validation rows say one
/// variance for all. An answer is μ, σ² and μ², all standardised: their means over models are the moments of the mixture,
/// μ* = mean μ and σ*² = mean σ² + (mean μ² − μ*²), what the models say (aleatoric) and what they disagree on (epistemic).
/// An average is calibrated by a factor, which stretches its mixture about its mean.
/// </summary>
/// <remarks>A regression of one's own derives from it, and overrides its <see cref="Loss"/>, say.</remarks>
/// <param name="Mean">Of the training rows' targets; or another centre of them, see <see cref="IsRobust"/>.</param>
/// <param name="Deviation">Of the training rows' targets, above 0; or another measure of their spread.</param>
/// <param name="Minimum">Of the training rows' targets.</param>
/// <param name="Maximum">Of the training rows' targets.</param>
public record Regression(double Mean, double Deviation, double Minimum, double Maximum) : LearningTask
{
    public const string TaskName = "regression";

    /// <summary>The smallest variance, of a standardised target (Lakshminarayanan et al., 2017, footnote 2).</summary>
    public const float SmallestVariance = 1e-6f;

    private const string Scale = "scale", Variance = "noiseVariance";

    /// <summary>What an interval's end may move by where fewer members are asked, of its width.</summary>
    private const double LargestMove = 0.1;

    private const double LargestScale = 20, LogOfTwoPi = 1.8378770664093454836;

    private Likelihood _likelihood;
    private double? _scale;

    /// <summary>Of the squared error, standardised; 0 where the networks say the variance of each row.</summary>
    private double? _noise;

    /// <summary>
    /// Whether <see cref="Mean"/> and <see cref="Deviation"/> are of targets whose tails were drawn in, and rounded, so that a single
    /// row has next to no part in them: of tables whose members do not see all rows.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool IsRobust { get; init; }

    /// <summary>What the validation split said; null before it did.</summary>
    internal double? FittedFactor => _scale;

    /// <inheritdoc cref="FittedFactor"/>
    internal double? FittedNoise => _noise;

    [JsonIgnore]
    public override string Name => TaskName;

    [JsonIgnore]
    public override TaskKind Kind => TaskKind.Regression;

    [JsonIgnore]
    public override string Outcomes => string.Create(CultureInfo.InvariantCulture, $"{Minimum:G6} to {Maximum:G6}");

    [JsonIgnore]
    public override int Outputs => IsGaussian ? 2 : 1;

    [JsonIgnore]
    public override int Width => 3;

    /// <summary>The validation split is drawn from all rows alike, so that its residuals are exchangeable with any other row's.</summary>
    [JsonIgnore]
    public override int Strata => 1;

    [JsonIgnore]
    public override bool NeedsFit => !IsGaussian;

    [JsonIgnore]
    public override IReadOnlyList<OutputDescription> Predictions => RegressionOutputs.Predictions;

    /// <summary>A mean and a deviation: with the members' shares, the parts of the mixture.</summary>
    [JsonIgnore]
    public override IReadOnlyList<OutputDescription> MemberPredictions => [.. Predictions.Take(2)];

    [JsonIgnore]
    public override IReadOnlyList<string> Columns => RegressionOutputs.Names;

    [JsonIgnore]
    public override string ExportedPrediction => RegressionOutputs.Exported(IsGaussian);

    private bool IsGaussian => _likelihood == Likelihood.Gaussian;

    /// <summary>Describes targets as they are.</summary>
    /// <param name="targets">Of the training rows; finite, two of them different.</param>
    public static Regression Of(ReadOnlySpan<double> targets, string? target = null)
    {
        // Relative to the first: the mean of equal numbers is then exactly that number.
        double origin = targets[0], sum = 0, squares = 0, lowest = origin, highest = origin;
        foreach (var y in targets) (sum, lowest, highest) = (sum + (y - origin), Math.Min(lowest, y), Math.Max(highest, y));
        var mean = origin + sum / targets.Length;
        foreach (var y in targets) squares += (y - mean) * (y - mean);
        return new Regression(mean, Math.Sqrt(squares / targets.Length), lowest, highest) { Target = target };
    }

    /// <summary>Whether it is the same but for the units in which networks learn it.</summary>
    internal bool IsOfTheSameTarget(Regression other) => this with { Mean = other.Mean, Deviation = other.Deviation, IsRobust = other.IsRobust } == other;

    /// <summary>A number of that task's units in those of this one.</summary>
    internal float Converted(float standardised, Regression from) => Standardise(from.Mean + (from.Deviation * standardised));

    /// <summary>Moments as a student learns them, of that task's units in those of this one.</summary>
    internal void Convert(Span<float> soft, Regression from)
    {
        var ratio = from.Deviation / Deviation;
        for (; !soft.IsEmpty; soft = soft[SoftWidth..]) (soft[0], soft[1]) = (Converted(soft[0], from), (float)(ratio * ratio * soft[1]));
    }

    /// <summary>What networks learn.</summary>
    public float Standardise(double target) => (float)((target - Mean) / Deviation);

    public override string? Fault() =>
        !double.IsFinite(Mean) || !double.IsFinite(Minimum) || !double.IsFinite(Maximum) || Minimum > Maximum ? "the target's mean and range are not finite numbers"
        : !double.IsFinite(Deviation) || Deviation <= 0 ? "the target's deviation is not above 0"
        : null;

    public override LearningTask For(EnsembleSpec spec, IEnumerable<float>? targets = null)
    {
        if (spec.Training.ClassWeights != ClassWeights.Equal)
            throw new SpecException("training.classWeights is balanced: it belongs to classification, and this is a regression (leave the key out).");
        if (spec.Training.Likelihood == Likelihood.SquaredError && spec.Data.ValidationFraction == 0 && !spec.Data.HasOutOfFold)
        {
            throw new SpecException("training.likelihood is squared-error: the validation rows say its variance, and data.validationFraction is 0 "
                + "(raise it, or choose gaussian).");
        }

        return this with { _likelihood = spec.Training.Likelihood };
    }

    public override int Stratum(float target) => 0;

    /// <summary>
    /// ½·(ln 2πv + (y − μ)²/v) with v = softplus(s) + 1e-6 (Lakshminarayanan et al., 2017, eq. 1); or ½·(y − μ)².
    /// </summary>
    public override double Loss(ReadOnlySpan<float> outputs, ReadOnlySpan<float> targets, Span<float> gradient)
    {
        var loss = 0.0;
        for (var row = 0; row < targets.Length; row++) loss += RowLoss(outputs, row, targets[row], 0, gradient, targets.Length);
        return loss / targets.Length;
    }

    [JsonIgnore]
    public override int SoftWidth => 2;

    /// <summary>The mixture's moments μ* and σ*², standardised.</summary>
    public override void Soften(ReadOnlySpan<double> answers, double temperature, Span<float> soft)
    {
        for (; !soft.IsEmpty; soft = soft[SoftWidth..], answers = answers[Width..])
            (soft[0], soft[1]) = ((float)answers[0], (float)TotalVariance(answers[..Width]));
    }

    public override float Named(ReadOnlySpan<float> soft) => soft[0];

    /// <summary>½·(ln 2πv + (σ*² + (μ* − μ)²)/v), least where the student's moments are the mixture's; or ½·(μ* − μ)².</summary>
    public override double SoftLoss(ReadOnlySpan<float> outputs, ReadOnlySpan<float> soft, double temperature, Span<float> gradient)
    {
        var (loss, rows) = (0.0, soft.Length / SoftWidth);
        for (var row = 0; row < rows; row++) loss += RowLoss(outputs, row, soft[row * SoftWidth], soft[(row * SoftWidth) + 1], gradient, rows);
        return loss / rows;
    }

    /// <summary>The root of the mean squared error, in the target's units.</summary>
    public override StepQuality StepQuality(ReadOnlySpan<float> outputs, ReadOnlySpan<float> targets)
    {
        var squares = 0.0;
        for (var row = 0; row < targets.Length; row++)
        {
            var distance = (double)outputs[row * Outputs] - targets[row];
            squares += distance * distance;
        }

        return new StepQuality("rmse", Deviation * Math.Sqrt(squares / targets.Length));
    }

    public override void Answer(ReadOnlySpan<float> outputs, Span<double> answers)
    {
        for (; !outputs.IsEmpty; outputs = outputs[Outputs..], answers = answers[Width..])
        {
            double mean = outputs[0];
            answers[0] = mean;
            answers[1] = IsGaussian ? Elementary.Softplus(outputs[1]) + SmallestVariance : 0;
            answers[2] = mean * mean;
        }
    }

    /// <summary>The factor of the smallest negative log-likelihood, and of the squared error the models' mean squared residual before.</summary>
    public override Measures Fit(AnswerRows rows, ReadOnlySpan<float> targets)
    {
        var task = this;
        if (!IsGaussian)
        {
            var (noise, count) = (0.0, rows.Multiplicities.Sum());
            for (var i = 0; i < rows.Models.Count; i++) noise += rows.Multiplicities[i] * MeanSquare(rows.Models[i].Span, targets) / count;
            task = this with { _noise = noise };
        }

        var (mixtures, known) = (new MixtureRows(task, rows), targets.ToArray());
        var scale = Math.Exp(Minimisation.Of(
            logarithm => mixtures.Nll(known, Math.Exp(logarithm)), -Math.Log(LargestScale), Math.Log(LargestScale)));
        return IsGaussian ? Measures.Of((Scale, scale)) : Measures.Of((Scale, scale), (Variance, task._noise));
    }

    public override LearningTask Fitted(Measures fit) => this with { _scale = fit[Scale], _noise = fit.Find(Variance) };

    /// <summary>Of the squared error with each model's own mean squared residual for a variance.</summary>
    public override double[] Likelihoods(ReadOnlySpan<double> answers, ReadOnlySpan<float> targets)
    {
        var noise = IsGaussian ? 0 : Math.Max(SmallestVariance, MeanSquare(answers, targets));
        var likelihoods = new double[targets.Length];
        for (var row = 0; row < likelihoods.Length; row++)
        {
            var answer = answers.Slice(row * Width, Width);
            var (variance, distance) = (answer[1] + noise + Spread(answer), targets[row] - answer[0]);
            likelihoods[row] = Math.Exp(-0.5 * distance * distance / variance) / Math.Sqrt(2 * Math.PI * variance);
        }

        return likelihoods;
    }

    /// <summary>½·(ln 2πσ² + (y − μ)²/σ²); of the squared error (y − μ)².</summary>
    public override double Surprise(ReadOnlySpan<double> answers, ReadOnlySpan<float> targets)
    {
        var sum = 0.0;
        for (var row = 0; row < targets.Length; row++)
        {
            var answer = answers.Slice(row * Width, Width);
            double variance = answer[1] + Spread(answer), distance = targets[row] - answer[0];
            sum += IsGaussian ? 0.5 * (LogOfTwoPi + Elementary.Log((float)variance) + distance * distance / variance) : distance * distance;
        }

        return sum;
    }

    /// <summary>Of the squared error with the mean squared residual for a variance.</summary>
    public override double Nll(double surprise, long rows)
    {
        var mean = surprise / rows;
        if (!IsGaussian) mean = 0.5 * (LogOfTwoPi + Elementary.Log((float)Math.Max(SmallestVariance, mean)) + 1);
        return mean + Elementary.Log((float)Deviation);
    }

    /// <summary>The density of the normal distribution with the targets' mean and variance.</summary>
    public override double[] PriorLikelihoods(ReadOnlySpan<float> targets)
    {
        var (sum, squares) = (0.0, 0.0);
        foreach (var target in targets) (sum, squares) = (sum + target, squares + (double)target * target);
        var mean = sum / targets.Length;
        var variance = Math.Max(SmallestVariance, squares / targets.Length - mean * mean);
        var likelihoods = new double[targets.Length];
        for (var row = 0; row < likelihoods.Length; row++)
            likelihoods[row] = Math.Exp(-0.5 * (targets[row] - mean) * (targets[row] - mean) / variance) / Math.Sqrt(2 * Math.PI * variance);
        return likelihoods;
    }

    [JsonIgnore]
    public override OutputDescription TruthColumn => RegressionOutputs.TruthColumn;

    public override OutputValues Truth(ReadOnlySpan<float> targets) => RegressionOutputs.Truth(this, targets);

    /// <summary>|y − μ*| / σ*.</summary>
    public override double[] Strangeness(ReadOnlySpan<double> answers, ReadOnlySpan<float> targets)
    {
        var strangeness = new double[targets.Length];
        for (var row = 0; row < strangeness.Length; row++)
        {
            var answer = answers.Slice(row * Width, Width);
            strangeness[row] = Math.Abs(targets[row] - answer[0]) / Math.Sqrt(TotalVariance(answer));
        }

        return strangeness;
    }

    /// <summary>The mean width of μ* ± so many σ*, in the target's units.</summary>
    public override double MeanSize(ReadOnlySpan<double> answers, double strangeness)
    {
        var (sum, rows) = (0.0, answers.Length / Width);
        for (var row = 0; row < rows; row++) sum += Math.Sqrt(TotalVariance(answers.Slice(row * Width, Width)));
        return 2 * strangeness * Deviation * sum / rows;
    }

    public override IMeasurement Quality(bool isCalibrated = false) => new RegressionQuality(this, isCalibrated);

    public override IMeasurement Uncertainty() => new RegressionUncertainty(this);

    public override IDiversity Diversity(int models, int rows) => new RegressionDiversity(this, models, rows);

    /// <summary>
    /// By how much of its own width the interval is expected to move: σ of the members' means, whose average goes as
    /// √(1/asked − 1/all), over σ* of the mixture. One member alone cannot tell.
    /// </summary>
    public override double Doubt(ReadOnlySpan<double> answer, int asked, int all) => asked == 1
        ? double.PositiveInfinity
        : Math.Sqrt(((1.0 / asked) - (1.0 / all)) * Spread(answer) * asked / (asked - 1) / TotalVariance(answer));

    /// <summary>Whether an end of the interval, μ* ± σ*, moves by more than a tenth of the interval's width.</summary>
    public override bool IsOther(ReadOnlySpan<double> answer, ReadOnlySpan<double> ofAll)
    {
        var (before, after) = (Math.Sqrt(TotalVariance(answer)), Math.Sqrt(TotalVariance(ofAll)));
        var moved = Math.Abs(answer[0] - ofAll[0]) + Math.Abs(before - after);
        return !(moved <= LargestMove * 2 * after);
    }

    public override IReadOnlyList<OutputValues> Predict(
        ReadOnlySpan<double> answers, bool isCalibrated = false, double coverage = PredictionRequest.DefaultCoverage) =>
        RegressionOutputs.Of(this, answers, isCalibrated, coverage);

    internal double Factor(bool isCalibrated) => isCalibrated ? _scale ?? throw new InvalidOperationException("No factor was fitted.") : 1;

    /// <summary>mean σ², standardised.</summary>
    internal double Aleatoric(ReadOnlySpan<double> answer) =>
        IsGaussian ? answer[1] : _noise ?? throw new InvalidOperationException("No variance was fitted.");

    /// <summary>mean μ² − μ*², standardised.</summary>
    internal static double Spread(ReadOnlySpan<double> answer) => Math.Max(0, answer[2] - answer[0] * answer[0]);

    internal double TotalVariance(ReadOnlySpan<double> answer) => Aleatoric(answer) + Spread(answer);

    /// <summary>The loss of one of so many rows, and its gradient, where the target is drawn about a mean.</summary>
    /// <param name="spread">The variance about it; 0 of a target that is known.</param>
    private double RowLoss(ReadOnlySpan<float> outputs, int row, float mean, float spread, Span<float> gradient, int rows)
    {
        var distance = (double)outputs[row * Outputs] - mean;
        if (!IsGaussian)
        {
            gradient[row] = (float)(distance / rows);
            return distance * distance / 2;
        }

        var s = outputs[(row * 2) + 1];
        double variance = Elementary.Softplus(s) + SmallestVariance, ratio = (spread + (distance * distance)) / variance;
        gradient[row * 2] = (float)(distance / variance / rows);
        gradient[(row * 2) + 1] = (float)(0.5 * (1 - ratio) / variance * Sigmoid(s) / rows);
        return 0.5 * (Math.Log(2 * Math.PI) + Elementary.Log((float)variance) + ratio);
    }

    private double MeanSquare(ReadOnlySpan<double> answers, ReadOnlySpan<float> targets)
    {
        var (sum, rows) = (0.0, 0);
        for (var row = 0; row < targets.Length; row++)
        {
            if (double.IsNaN(answers[row * Width])) continue;
            sum += (answers[row * Width] - targets[row]) * (answers[row * Width] - targets[row]);
            rows++;
        }

        return sum / Math.Max(1, rows);
    }

    private static double Sigmoid(float x)
    {
        double e = Elementary.Exp(-Math.Abs(x));
        return (x >= 0 ? 1 : e) / (1 + e);
    }
}
