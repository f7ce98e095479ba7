using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Tests.Predictions;

public sealed class EnsembleTests
{
    private const int Rows = 67, Classes = 5;

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(10)]
    public void An_ensemble_answers_with_the_mean_of_its_constituents(int constituents)
    {
        using var scope = NewDisposeScope();
        var given = Constituents(constituents);

        var mean = new Ensemble(given).Predict(zeros(Rows, 1)).data<float>().ToArray();

        for (var i = 0; i < mean.Length; i++) Assert.Equal(given.Average(constituent => (double)constituent.Values[i]), mean[i], 1e-6);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(10)]
    public void The_running_mean_equals_the_ensemble_bit_by_bit(int constituents)
    {
        using var scope = NewDisposeScope();
        var given = Constituents(constituents);
        var running = new ProbabilityMean();
        foreach (var constituent in given) running.Add(constituent.Values);

        Assert.Equal(new Ensemble(given).Predict(zeros(Rows, 1)).data<float>().ToArray(), running.ToArray());
        Assert.Equal(constituents, running.Count);
    }

    [Fact]
    public void The_sum_goes_in_the_order_of_the_constituents()
    {
        using var scope = NewDisposeScope();
        float[] values = [1, 5.9e-8f, 5.9e-8f];
        IPredictor[] given = [.. values.Select(value => new Given([value], [1, 1]))];

        // 1 + 5.9e-8 rounds to 1, so the small ones count only if they are added first.
        Assert.Equal(1f / 3, new Ensemble(given).Predict(zeros(1, 1)).item<float>());
        Assert.NotEqual(1f / 3, new Ensemble([.. given.Reverse()]).Predict(zeros(1, 1)).item<float>());
    }

    [Fact]
    public void Predicting_leaves_the_constituents_answers_alone()
    {
        using var answer = tensor(new float[] { 0.25f, 0.75f }).view(1, 2);
        var keeper = new Keeper(answer);

        new Ensemble([keeper, keeper]).Predict(zeros(1, 1)).Dispose();

        Assert.Equal([0.25f, 0.75f], answer.data<float>().ToArray());
    }

    private static Given[] Constituents(int count) => [.. Enumerable.Range(0, count).Select(member =>
    {
        var values = new float[Rows * Classes];
        new RandomSource(6).Uniform(new Draw(Purpose.Dropout, member, 0, 0), values);
        return new Given(values, [Rows, Classes]);
    })];

    private sealed class Given(float[] values, long[] shape) : IPredictor
    {
        public float[] Values => values;

        public Tensor Predict(Tensor inputs) => tensor(values).view(shape);
    }

    private sealed class Keeper(Tensor answer) : IPredictor
    {
        public Tensor Predict(Tensor inputs) => answer;
    }
}
