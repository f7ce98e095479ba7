using System.Numerics.Tensors;
using System.Text.Json.Serialization;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Training.Tasks;

/// <summary>
/// One of some classes: the outputs are their scores, the softmax of these their probabilities, and the loss is the
/// cross-entropy. A target is the class's place among the classes. An answer is the probability of each class and their
/// entropy; an average of them is calibrated by a temperature.
/// </summary>
/// <remarks>A classification of one's own derives from it, and overrides its <see cref="Loss"/>, say.</remarks>
/// <param name="Classes">Their texts, two or more, all different.</param>
public record Classification(IReadOnlyList<string> Classes) : LearningTask
{
    public const string TaskName = "classification";

    private const string Temperature = "temperature";

    /// <summary>Scores whose exponentials lie on the stack together.</summary>
    private const int NumbersAtOnce = 512;

    /// <summary>Classes that are named where people are told of the task.</summary>
    private const int MostNamed = 6;

    private double? _temperature;
    private float[]? _weights;

    /// <summary>What the validation split said; null before it did.</summary>
    internal double? FittedTemperature => _temperature;

    [JsonIgnore]
    public override string Name => TaskName;

    [JsonIgnore]
    public override TaskKind Kind => TaskKind.Classification;

    [JsonIgnore]
    public override string Outcomes =>
        $"{Classes.Count:N0} classes: {string.Join(", ", Classes.Take(MostNamed))}{(Classes.Count > MostNamed ? ", …" : "")}";

    [JsonIgnore]
    public override int Outputs => Classes.Count;

    [JsonIgnore]
    public override int Width => Classes.Count + 1;

    [JsonIgnore]
    public override int Strata => Classes.Count;

    [JsonIgnore]
    public override IReadOnlyList<OutputDescription> Predictions => ClassOutputs.Predictions(Classes);

    [JsonIgnore]
    public override IReadOnlyList<string> Columns => ClassOutputs.Columns;

    [JsonIgnore]
    public override string ExportedPrediction => ClassOutputs.Exported;

    public override string? Fault() =>
        Classes is null || Classes.Count < 2 || Classes.Any(name => name is null) || Classes.Distinct().Count() != Classes.Count
            ? "classes are not two or more distinct names"
            : null;

    /// <summary>With balanced classes, the rows of each class together count as much as those of any other.</summary>
    public override LearningTask For(EnsembleSpec spec, IEnumerable<float>? targets = null)
    {
        if (spec.Training.Likelihood != Likelihood.Gaussian)
        {
            throw new SpecException($"training.likelihood is squared-error: it belongs to regression, and this is a "
                + "classification (leave the key out).");
        }

        if (spec.Training.ClassWeights == ClassWeights.Equal || targets is null) return this;
        var counts = new int[Classes.Count];
        foreach (var target in targets) counts[(int)target]++;
        var present = counts.Count(count => count > 0);
        var rows = counts.Sum();
        return this with { _weights = [.. counts.Select(count => count > 0 ? (float)((double)rows / present / count) : 0)] };
    }

    public override int Stratum(float target) => (int)target;

    /// <summary>−w·ln softmax(outputs)[target], natural logarithm, w the class's weight; its gradient is w·(softmax − one-hot).</summary>
    public override double Loss(ReadOnlySpan<float> outputs, ReadOnlySpan<float> targets, Span<float> gradient) =>
        CrossEntropy.Loss(outputs, targets, Outputs, _weights, gradient);

    [JsonIgnore]
    public override int SoftWidth => Classes.Count;

    /// <summary>q ∝ p̄^(1/T).</summary>
    public override void Soften(ReadOnlySpan<double> answers, double temperature, Span<float> soft)
    {
        var probabilities = Probabilities(answers);
        if (temperature != 1) probabilities = TemperatureScaling.Apply(probabilities, Outputs, temperature);
        for (var i = 0; i < soft.Length; i++) soft[i] = (float)probabilities[i];
    }

    public override float Named(ReadOnlySpan<float> soft) => TensorPrimitives.IndexOfMax(soft);

    /// <summary>−T²·Σ q·ln softmax(outputs/T), whose gradient T·(softmax − q) is as large at any T (Hinton et al., 2015, section 2).</summary>
    public override double SoftLoss(ReadOnlySpan<float> outputs, ReadOnlySpan<float> soft, double temperature, Span<float> gradient)
    {
        var (loss, rows) = (0.0, outputs.Length / Outputs);
        for (var first = 0; first < outputs.Length; first += Outputs)
        {
            var scores = outputs.Slice(first, Outputs);
            var slopes = gradient.Slice(first, Outputs);
            var targets = soft.Slice(first, Outputs);
            var highest = SubtractHighest(scores, slopes);
            for (var c = 0; c < slopes.Length; c++) slopes[c] = (float)(slopes[c] / temperature);
            Elementary.Exp(slopes, slopes);
            var sum = Sum(slopes);
            var logarithm = (double)Elementary.Log((float)sum);
            for (var c = 0; c < slopes.Length; c++)
            {
                loss += targets[c] * (logarithm - (((double)scores[c] - highest) / temperature));
                slopes[c] = (float)(temperature * ((slopes[c] / sum) - targets[c]) / rows);
            }
        }

        return temperature * temperature * loss / rows;
    }

    /// <summary>The share of rows whose highest score is right.</summary>
    public override StepQuality StepQuality(ReadOnlySpan<float> outputs, ReadOnlySpan<float> targets)
    {
        var right = 0;
        for (var row = 0; row < targets.Length; row++)
        {
            if (TensorPrimitives.IndexOfMax(outputs.Slice(row * Outputs, Outputs)) == (int)targets[row]) right++;
        }

        return new StepQuality("accuracy", (double)right / targets.Length);
    }

    /// <summary>p₁…p_C, and −Σ p·ln p in nats.</summary>
    public override void Answer(ReadOnlySpan<float> outputs, Span<double> answers)
    {
        // Exponentials and logarithms of many rows at once: few have as many classes as a vector has places.
        var together = Math.Max(1, NumbersAtOnce / Outputs);
        Span<float> numbers = Outputs <= NumbersAtOnce ? stackalloc float[Math.Min(NumbersAtOnce, outputs.Length)] : new float[Outputs];
        for (var rows = outputs.Length / Outputs; rows > 0; rows -= together)
        {
            var count = Math.Min(together, rows);
            Answer(outputs[..(count * Outputs)], numbers[..(count * Outputs)], answers[..(count * Width)]);
            outputs = outputs[(count * Outputs)..];
            answers = answers[(count * Width)..];
        }
    }

    /// <param name="numbers">As long as the outputs, for what comes between.</param>
    private void Answer(ReadOnlySpan<float> outputs, Span<float> numbers, Span<double> answers)
    {
        for (var i = 0; i < outputs.Length; i += Outputs) SubtractHighest(outputs.Slice(i, Outputs), numbers.Slice(i, Outputs));
        Elementary.Exp(numbers, numbers);
        for (int i = 0, row = 0; i < numbers.Length; i += Outputs, row += Width)
        {
            var exponentials = numbers.Slice(i, Outputs);
            var probabilities = answers.Slice(row, Outputs);
            var sum = Sum(exponentials);
            for (var c = 0; c < exponentials.Length; c++) exponentials[c] = (float)(probabilities[c] = exponentials[c] / sum);
        }

        Elementary.Log(numbers, numbers);
        for (int i = 0, row = 0; i < numbers.Length; i += Outputs, row += Width)
        {
            var logarithms = numbers.Slice(i, Outputs);
            var probabilities = answers.Slice(row, Outputs);
            var entropy = 0.0;
            for (var c = 0; c < logarithms.Length; c++) if (probabilities[c] > 0) entropy -= probabilities[c] * logarithms[c];
            answers[row + Outputs] = Math.Max(0, entropy);
        }
    }

    public override Measures Fit(AnswerRows rows, ReadOnlySpan<float> targets) =>
        Measures.Of((Temperature, TemperatureScaling.Fit(Probabilities(rows.Mean), targets)));

    public override LearningTask Fitted(Measures fit) => this with { _temperature = fit[Temperature] };

    public override double[] Likelihoods(ReadOnlySpan<double> answers, ReadOnlySpan<float> targets)
    {
        var likelihoods = new double[targets.Length];
        for (var row = 0; row < likelihoods.Length; row++) likelihoods[row] = answers[row * Width + (int)targets[row]];
        return likelihoods;
    }

    /// <summary>−ln p of the true class. A probability that underflowed counts as the smallest there is.</summary>
    public override double Surprise(ReadOnlySpan<double> answers, ReadOnlySpan<float> targets)
    {
        var sum = 0.0;
        for (var row = 0; row < targets.Length; row++) sum -= Elementary.Log(Math.Max((float)answers[row * Width + (int)targets[row]], float.Epsilon));
        return sum;
    }

    public override double Nll(double surprise, long rows) => surprise / rows;

    /// <summary>The share of each row's class.</summary>
    public override double[] PriorLikelihoods(ReadOnlySpan<float> targets)
    {
        var (counts, likelihoods) = (new int[Classes.Count], new double[targets.Length]);
        foreach (var target in targets) counts[(int)target]++;
        for (var row = 0; row < likelihoods.Length; row++) likelihoods[row] = (double)counts[(int)targets[row]] / targets.Length;
        return likelihoods;
    }

    [JsonIgnore]
    public override OutputDescription TruthColumn => ClassOutputs.TruthColumn;

    public override OutputValues Truth(ReadOnlySpan<float> targets) => ClassOutputs.Truth(Classes, targets);

    /// <summary>1 − p of the true class.</summary>
    public override double[] Strangeness(ReadOnlySpan<double> answers, ReadOnlySpan<float> targets) =>
        [.. Likelihoods(answers, targets).Select(p => 1 - p)];

    /// <summary>The mean number of classes of which 1 − p is at most so much.</summary>
    public override double MeanSize(ReadOnlySpan<double> answers, double strangeness)
    {
        var (probabilities, size) = (Probabilities(answers), 0L);
        foreach (var p in probabilities) if (1 - p <= strangeness) size++;
        return size / ((double)probabilities.Length / Outputs);
    }

    /// <summary>
    /// By how many deviations the two most probable classes are apart. The difference of their probabilities is a mean over members,
    /// whose deviation goes as √(1/asked − 1/all), and as that of one draw: √(p₁ + p₂ − (p₁ − p₂)²).
    /// </summary>
    public override double Doubt(ReadOnlySpan<double> answer, int asked, int all)
    {
        double first = 0, second = 0;
        foreach (var p in answer[..Outputs]) (first, second) = p > first ? (p, first) : (first, Math.Max(second, p));
        var apart = first - second;
        return Math.Sqrt(((1.0 / asked) - (1.0 / all)) * Math.Max(0, first + second - (apart * apart))) / apart;
    }

    /// <summary>Whether the most probable class is another one.</summary>
    public override bool IsOther(ReadOnlySpan<double> answer, ReadOnlySpan<double> ofAll) =>
        TensorPrimitives.IndexOfMax(answer[..Outputs]) != TensorPrimitives.IndexOfMax(ofAll[..Outputs]);

    public override IMeasurement Quality(bool isCalibrated = false) => new ClassificationQuality(this, isCalibrated);

    public override IMeasurement Uncertainty() => new ClassUncertainty(this);

    public override IDiversity Diversity(int models, int rows) => new ClassDiversity(this, models, rows);

    public override IReadOnlyList<OutputValues> Predict(
        ReadOnlySpan<double> answers, bool isCalibrated = false, double coverage = PredictionRequest.DefaultCoverage) =>
        ClassOutputs.Of(this, answers, isCalibrated);

    /// <summary>[rows, classes] of answers.</summary>
    public double[] Probabilities(ReadOnlySpan<double> answers)
    {
        var probabilities = new double[answers.Length / Width * Outputs];
        for (var to = probabilities.AsSpan(); !to.IsEmpty; to = to[Outputs..], answers = answers[Width..]) answers[..Outputs].CopyTo(to);
        return probabilities;
    }

    /// <summary>p ∝ p̄^(1/T), [rows, classes].</summary>
    internal double[] Calibrated(ReadOnlySpan<double> probabilities) => TemperatureScaling.Apply(
        probabilities, Outputs, _temperature ?? throw new InvalidOperationException("No temperature was fitted."));

    /// <summary>What of each score is above the highest.</summary>
    /// <returns>The highest.</returns>
    private static float SubtractHighest(ReadOnlySpan<float> scores, Span<float> differences)
    {
        var highest = scores[0];
        foreach (var score in scores) highest = score > highest || float.IsNaN(score) ? score : highest;
        for (var c = 0; c < differences.Length; c++) differences[c] = scores[c] - highest;
        return highest;
    }

    private static double Sum(ReadOnlySpan<float> exponentials)
    {
        var sum = 0.0;
        foreach (var exponential in exponentials) sum += exponential;
        return sum;
    }

    public virtual bool Equals(Classification? other) => other is not null && EqualityContract == other.EqualityContract && Target == other.Target && Classes.SequenceEqual(other.Classes);

    public override int GetHashCode() => HashCode.Combine(Target, Classes.Count);
}
