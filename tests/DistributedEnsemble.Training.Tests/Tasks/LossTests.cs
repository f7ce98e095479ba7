using DistributedEnsemble.Randomness;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Randomness;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tests.Tasks;

/// <summary>Losses against finite differences, and against the same formulas in double.</summary>
public sealed class LossTests
{
    private static readonly Regression s_number = new(0, 1, -3, 3);

    public static TheoryData<string> All => ["classes", "weighted classes", "gaussian", "squared error"];

    [Theory, MemberData(nameof(All))]
    public void The_gradient_is_that_of_the_loss(string which)
    {
        const int Rows = 7;
        const float Step = 1 / 64f;
        var (task, targets, _) = Case(which, Rows);
        var outputs = Outputs(Rows * task.Outputs);
        var gradient = new float[outputs.Length];
        task.Loss(outputs, targets, gradient);

        for (var i = 0; i < outputs.Length; i++)
        {
            // Richardson's extrapolation: the loss itself is rounded to some 1e-7, so that the step cannot be small.
            var slope = (8 * (At(Step) - At(-Step)) - (At(2 * Step) - At(-2 * Step))) / (12 * Step);
            Assert.Equal(slope, gradient[i], 2e-5);

            double At(float change)
            {
                var moved = outputs.ToArray();
                moved[i] += change;
                return task.Loss(moved, targets, new float[outputs.Length]);
            }
        }
    }

    [Theory, MemberData(nameof(All))]
    public void The_loss_is_the_mean_of_its_formula(string which)
    {
        const int Rows = 150;
        var (task, targets, formula) = Case(which, Rows);
        var outputs = Outputs(Rows * task.Outputs);

        var loss = task.Loss(outputs, targets, new float[outputs.Length]);

        Assert.Equal(Enumerable.Range(0, Rows).Average(row => formula(outputs[(row * task.Outputs)..((row + 1) * task.Outputs)], targets[row])), loss, 1e-6);
    }

    /// <summary>Whatever the number of rows: a reciprocal would round the gradient once more.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(64)]
    [InlineData(100)]
    public void A_gradient_of_classes_is_divided_by_the_rows_and_rounded_once(int rows)
    {
        var (task, targets, _) = Case("classes", rows);
        var outputs = Outputs(rows * task.Outputs);
        var gradient = new float[outputs.Length];

        task.Loss(outputs, targets, gradient);

        for (var row = 0; row < rows; row++)
        {
            var scores = outputs[(row * task.Outputs)..((row + 1) * task.Outputs)];
            double[] exponentials = [.. scores.Select(score => (double)Elementary.Exp(score - scores.Max()))];
            var slopes = exponentials.Select((e, c) => (float)((e / exponentials.Sum() - (c == (int)targets[row] ? 1 : 0)) / rows));
            Assert.Equal(slopes, gradient[(row * task.Outputs)..((row + 1) * task.Outputs)]);
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(3)]
    [InlineData(1e9f)]
    public void A_class_that_is_not_there_is_refused(float target)
    {
        Assert.StartsWith("There is no such class.", Assert.Throws<ArgumentOutOfRangeException>(
            () => Classes("equal").Loss(new float[3 * 3], [0, 1, target], new float[3 * 3])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Balanced_classes_count_alike_together_and_their_weights_are_one_on_average()
    {
        var task = Classes("balanced").For(Spec("""{ "classWeights": "balanced" }"""), [0, 0, 0, 1, 1, 2]);
        float[] outputs = new float[6 * 3], gradient = new float[6 * 3];
        task.Loss(outputs, [0, 0, 0, 1, 1, 2], gradient);

        // With equal scores p is ⅓ everywhere: what rows of a class push its own score up by is w·⅔ each.
        double Push(int label, params int[] rows) => -rows.Sum(row => gradient[row * 3 + label]);
        Assert.Equal(2.0 / 3 * 2 / 6, Push(0, 0, 1, 2), 1e-6);
        Assert.Equal(2.0 / 3 * 2 / 6, Push(1, 3, 4), 1e-6);
        Assert.Equal(2.0 / 3 * 2 / 6, Push(2, 5), 1e-6);
        Assert.Equal(Math.Log(3), task.Loss(outputs, [0, 0, 0, 1, 1, 2], gradient), 1e-6);
    }

    [Fact]
    public void Keys_of_another_task_are_refused()
    {
        Assert.Equal(
            "training.classWeights is balanced: it belongs to classification, and this is a regression (leave the key out).",
            Assert.Throws<SpecException>(() => s_number.For(Spec("""{ "classWeights": "balanced" }"""))).Message);
        Assert.Equal(
            "training.likelihood is squared-error: it belongs to regression, and this is a classification (leave the key out).",
            Assert.Throws<SpecException>(() => Classes("x").For(Spec("""{ "likelihood": "squared-error" }"""))).Message);
        Assert.Equal(
            "training.likelihood is squared-error: the validation rows say its variance, and data.validationFraction is 0 (raise it, or choose gaussian).",
            Assert.Throws<SpecException>(() => s_number.For(Spec("""{ "likelihood": "squared-error" }""", 0))).Message);
    }

    private static (LearningTask Task, float[] Targets, Func<float[], float, double> Formula) Case(string which, int rows)
    {
        float[] labels = [.. Enumerable.Range(0, rows).Select(row => row % 5 == 0 ? 2f : row % 2)];
        float[] numbers = [.. Enumerable.Range(0, rows).Select(row => MathF.Sin(row * 1.7f) * 2)];
        var weights = labels.GroupBy(label => label).ToDictionary(group => group.Key, group => (double)rows / 3 / group.Count());
        return which switch
        {
            "classes" => (Classes(which), labels, (o, label) => CrossEntropy(o, label)),
            "weighted classes" => (Classes(which).For(Spec("""{ "classWeights": "balanced" }"""), labels), labels, (o, label) => weights[label] * CrossEntropy(o, label)),
            "gaussian" => (s_number.For(Spec("{}")), numbers, (o, y) =>
            {
                var variance = Math.Log(1 + Math.Exp(o[1])) + 1e-6;
                return 0.5 * Math.Log(2 * Math.PI * variance) + Math.Pow(y - o[0], 2) / (2 * variance);
            }),
            _ => (s_number.For(Spec("""{ "likelihood": "squared-error" }""")), numbers, (o, y) => Math.Pow(y - o[0], 2) / 2),
        };
    }

    private static double CrossEntropy(float[] scores, float label) => -Math.Log(Math.Exp(scores[(int)label]) / scores.Sum(score => Math.Exp(score)));

    private static Classification Classes(string _) => TestTasks.Classes(3);

    private static EnsembleSpec Spec(string training, double validationFraction = 0.1) => SpecDocument.Parse(
        $$"""{ "data": { "validationFraction": {{validationFraction}} }, "training": {{training}} }""").Resolve(new Digits().Defaults);

    private static float[] Outputs(int count)
    {
        var outputs = new float[count];
        new RandomSource(9).Uniform(new Draw(Purpose.MonteCarlo, 0, 0, 0), outputs);
        return [.. outputs.Select(value => 4 * value - 2)];
    }
}
