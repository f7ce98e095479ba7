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
public partial record Regression(double Mean, double Deviation, double Minimum, double Maximum) : LearningTask
{
    public const string TaskName = "regression";

    /// <summary>The smallest variance, of a standardised target (Lakshminarayanan et al., 2017, footnote 2).</summary>
    public const float SmallestVariance = 1e-6f;

    private const double LogOfTwoPi = 1.8378770664093454836;

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

    /// <summary>What stands behind every target, as in 5 kg: answers are numbers of it. Null where nothing does.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Unit { get; init; }

    /// <summary>Whether some targets are written short, as 12k.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Short { get; init; }

    /// <summary>What the validation split said; null before it did.</summary>
    internal double? FittedFactor => _scale;

    /// <inheritdoc cref="FittedFactor"/>
    internal double? FittedNoise => _noise;

    [JsonIgnore]
    public override string Name => TaskName;

    [JsonIgnore]
    public override TaskKind Kind => TaskKind.Regression;

    [JsonIgnore]
    public override string Outcomes => string.Create(CultureInfo.InvariantCulture, $"{Minimum:G6} to {Maximum:G6}{(Unit is null ? "" : $" {Unit}")}");

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

    /// <summary>Whether the networks say each row's.</summary>
    internal bool HasVariances => IsGaussian;

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
        return 0.5 * (LogOfTwoPi + Elementary.Log((float)variance) + ratio);
    }

    private static double Sigmoid(float x)
    {
        double e = Elementary.Exp(-Math.Abs(x));
        return (x >= 0 ? 1 : e) / (1 + e);
    }
}
