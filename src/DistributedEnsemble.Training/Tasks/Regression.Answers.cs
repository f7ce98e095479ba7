using System.Text.Json.Serialization;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Training.Kernels;

namespace DistributedEnsemble.Training.Tasks;

/// <content>What becomes of answers: how they are fitted, measured and told.</content>
public partial record Regression
{
    private const string Scale = "scale", Variance = "noiseVariance";

    /// <summary>What an interval's end may move by where fewer members are asked, of its width.</summary>
    private const double LargestMove = 0.1;

    private const double LargestScale = 20;

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
}
