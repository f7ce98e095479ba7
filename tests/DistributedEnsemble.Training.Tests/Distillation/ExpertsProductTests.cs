using DistributedEnsemble.Training.Distillation;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tests.Distillation;

public sealed class ExpertsProductTests
{
    private static readonly Regression s_task = (Regression)Regression.Of([1, 2, 4]).For(Plans.Spec("""{ "data": { "dataset": "waves" } }"""));

    [Fact]
    public void The_product_is_proportional_to_the_geometric_mean_of_the_models_densities()
    {
        double[] mean = new double[6];
        (double Mean, double Variance)[][] models = [[(0, 1), (5, 0.5)], [(3, 4), (5, 0.5)]];
        foreach (var model in models)
        {
            var terms = Answers(model);
            ExpertsProduct.ToTerms(s_task, terms);
            for (var i = 0; i < mean.Length; i++) mean[i] += terms[i] / models.Length;
        }

        ExpertsProduct.FromTerms(s_task, mean);

        // 1/σ² = (1 + 1/4) / 2, and μ = σ²·(0 + 3/4) / 2.
        Assert.Equal(Answers((0.6, 1.6), (5, 0.5)), mean, (a, b) => Math.Abs(a - b) < 1e-12);
        Assert.Equal(1.6, s_task.TotalVariance(mean.AsSpan(0, 3)), 1e-12);
    }

    /// <summary>Of ten models one is unsure of rows that the others know.</summary>
    [Theory]
    [InlineData(400, true)]
    [InlineData(29, false)]
    public void A_model_that_is_unsure_of_what_the_others_know_speaks_for_the_product_beyond_chance(int rows, bool expected)
    {
        var random = new Random(1);
        float[] targets = [.. Enumerable.Range(0, rows).Select(_ => (float)(0.1 * Normal(random)))];
        var models = Enumerable.Range(0, 10).Select(i => Answers([.. targets.Select(_ => (0.0, i == 9 ? 4 : 0.01))])).ToArray();

        Assert.Equal(expected, IsBetter(models, targets));
    }

    [Fact]
    public void Models_that_are_sure_and_disagree_speak_for_the_moments_of_their_mixture()
    {
        var random = new Random(1);
        float[] targets = [.. Enumerable.Range(0, 400).Select(_ => (float)Normal(random))];
        var models = Enumerable.Range(0, 10).Select(_ => Answers([.. targets.Select(_ => (Normal(random), 0.01))])).ToArray();

        Assert.False(IsBetter(models, targets));
    }

    /// <summary>Of many rows and models all answers would be more than the data.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Rows_measured_a_piece_at_a_time_say_what_they_say_together_and_nothing_of_a_piece_is_kept(bool expected)
    {
        var random = new Random(1);
        float[] targets = [.. Enumerable.Range(0, 400).Select(_ => (float)((expected ? 0.1 : 1) * Normal(random)))];
        var models = Enumerable.Range(0, 10).Select(i => Answers([.. targets.Select(_ => expected ? (0, i == 9 ? 4 : 0.01) : (Normal(random), 0.01))])).ToArray();
        // Each row is one that some model did not see; the first forty no model may answer to.
        foreach (var (i, model) in models.Index()) for (var row = 0; row < targets.Length; row++) if (row < 40 || row % 10 == i) model.AsSpan(3 * row, 3).Fill(double.NaN);

        Assert.Equal((expected, expected), (IsBetter(models, targets), ExpertsProduct.IsBetter(s_task, [.. models.Select(_ => 1)], Pieces())));

        // Each is gone when the next one is asked for.
        IEnumerable<(double[][], ReadOnlyMemory<float>)> Pieces()
        {
            const int Rows = 20;
            double[][] buffers = [.. models.Select(_ => new double[3 * Rows])];
            for (var first = 0; first < targets.Length; first += Rows)
            {
                foreach (var (model, buffer) in models.Zip(buffers)) model.AsSpan(3 * first, 3 * Rows).CopyTo(buffer);
                yield return (buffers, targets.AsMemory(first, Rows));
                foreach (var buffer in buffers) Array.Fill(buffer, double.NaN);
            }
        }
    }

    private static bool IsBetter(double[][] models, float[] targets) =>
        ExpertsProduct.IsBetter(s_task, [.. models.Select(_ => 1)], [([.. models.Select(model => (double[])model.Clone())], targets)]);

    private static double[] Answers(params (double Mean, double Variance)[] rows) => [.. rows.SelectMany(row => new[] { row.Mean, row.Variance, row.Mean * row.Mean })];

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
