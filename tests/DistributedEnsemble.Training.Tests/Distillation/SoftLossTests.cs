using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tests.Distillation;

/// <summary>Laws of what a student learns of its teacher.</summary>
public sealed class SoftLossTests
{
    private const int Rows = 5;

    private static readonly float[] s_probabilities = [0.7f, 0.2f, 0.1f, 0.05f, 0.9f, 0.05f, 1, 0, 0, 0.3f, 0.3f, 0.4f, 0.98f, 0.01f, 0.01f];
    private static readonly float[] s_moments = [0.5f, 0.3f, -1, 0.02f, 2, 1.5f, 0, 0.6f, 0.1f, 0.1f];

    [Theory]
    [InlineData(1)]
    [InlineData(2.5)]
    [InlineData(0.5)]
    public void The_gradient_of_softened_classes_is_the_slope_of_the_loss(double temperature) =>
        AssertSlopes(TestTasks.Classes(3), s_probabilities, temperature);

    [Theory]
    [InlineData("gaussian")]
    [InlineData("squared-error")]
    public void The_gradient_of_moments_is_the_slope_of_the_loss(string likelihood) => AssertSlopes(Number(likelihood), s_moments, 1);

    [Fact]
    public void A_teacher_that_is_sure_of_the_label_teaches_as_the_label_does()
    {
        var task = TestTasks.Classes(3);
        float[] outputs = Outputs(3), targets = [2, 0, 1, 1, 0], sure = new float[Rows * 3];
        for (var row = 0; row < Rows; row++) sure[(row * 3) + (int)targets[row]] = 1;
        float[] soft = new float[Rows * 3], hard = new float[Rows * 3];

        Assert.Equal(task.Loss(outputs, targets, hard), task.SoftLoss(outputs, sure, 1, soft), 1e-6);
        Assert.Equal(hard, soft, (a, b) => Math.Abs(a - b) < 1e-6);
    }

    [Fact]
    public void Nothing_teaches_a_student_that_has_the_mixtures_moments()
    {
        var task = Number("gaussian");
        float[] soft = [0.25f, MathF.Log(2) + Regression.SmallestVariance];
        var gradient = new float[2];

        // softplus(0) = ln 2.
        task.SoftLoss([0.25f, 0], soft, 1, gradient);

        Assert.All(gradient, slope => Assert.Equal(0, slope, 1e-6f));
    }

    [Fact]
    public void Softened_probabilities_are_those_of_the_temperature()
    {
        var task = TestTasks.Classes(3);
        var soft = new float[3];

        task.Soften(TestTasks.Answers(3, 0.64, 0.32, 0.04), 2, soft);

        double[] roots = [.. new[] { 0.64, 0.32, 0.04 }.Select(Math.Sqrt)];
        Assert.Equal(roots.Select(root => (float)(root / roots.Sum())), soft, (a, b) => Math.Abs(a - b) < 1e-6);
    }

    private static LearningTask Number(string likelihood) =>
        Regression.Of([1, 2, 4]).For(Plans.Spec($$"""{ "data": { "dataset": "waves" }, "training": { "likelihood": "{{likelihood}}" } }"""));

    private static float[] Outputs(int width) => [.. Enumerable.Range(0, Rows * width).Select(i => (float)Math.Sin(i * 2.3) * 2)];

    private static void AssertSlopes(LearningTask task, float[] soft, double temperature)
    {
        const float Step = 1e-2f;
        var outputs = Outputs(task.Outputs);
        var (gradient, other) = (new float[outputs.Length], new float[outputs.Length]);
        task.SoftLoss(outputs, soft, temperature, gradient);
        for (var i = 0; i < outputs.Length; i++)
        {
            var slope = (LossAt(Step) - LossAt(-Step)) / (2 * Step);
            Assert.True(Math.Abs(gradient[i] - slope) < 1e-3 * Math.Max(1, Math.Abs(slope)), $"Output {i}: {gradient[i]}, and the loss has the slope {slope}.");

            double LossAt(float step)
            {
                float[] moved = [.. outputs];
                moved[i] += step;
                return task.SoftLoss(moved, soft, temperature, other);
            }
        }
    }
}
