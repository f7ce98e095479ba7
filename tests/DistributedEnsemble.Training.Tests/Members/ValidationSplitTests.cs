using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Randomness;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Tests.Members;

public sealed class ValidationSplitTests : IDisposable
{
    /// <summary>Classes of 60, 30, 9 and 1 rows, mixed.</summary>
    private static readonly float[] Labels =
        [.. Enumerable.Range(0, 100).Select(i => i * 37 % 100).Select(i => i < 60 ? 0L : i < 90 ? 1 : i < 99 ? 2 : 3)];

    private readonly Samples _samples = new(new NativeVector(100), Labels);

    [Theory]
    [InlineData(0.1, new[] { 6, 3, 1, 0 })]
    [InlineData(0.5, new[] { 30, 15, 5, 1 })]
    [InlineData(0.0, new[] { 0, 0, 0, 0 })]
    public void It_takes_the_same_share_of_every_class(double fraction, int[] expected)
    {
        var split = ValidationSplit.Draw(_samples, Classes(4), fraction, new RandomSource(1));

        Assert.Equal(expected, Enumerable.Range(0, 4).Select(label => split.Validation.Count(row => Labels[row] == label)));
    }

    [Fact]
    public void Training_and_validation_rows_are_disjoint_and_all_there_is()
    {
        var split = ValidationSplit.Draw(_samples, Classes(4), 0.3, new RandomSource(1));

        Assert.Equal(Enumerable.Range(0, 100), split.Training.Concat(split.Validation).Order());
        Assert.Equal(split.Training.Order(), split.Training);
        Assert.Equal(split.Validation.Order(), split.Validation);
    }

    [Fact]
    public void The_seed_alone_decides()
    {
        int[] Validation(ulong seed) => ValidationSplit.Draw(_samples, Classes(4), 0.3, new RandomSource(seed)).Validation;

        Assert.Equal(Validation(1), Validation(1));
        Assert.NotEqual(Validation(1), Validation(2));
    }

    [Fact]
    public void No_member_trains_on_a_validation_row()
    {
        var plan = Plans.Of(Plans.Small);
        for (var member = 0; member < plan.Spec.Members; member++)
        {
            var seen = 0;
            var validation = plan.Split.Validation.ToHashSet();
            var batches = ListedRows.Batches(Numbered(plan.Dataset.Train), plan.Split.Training, 100, plan.Random, member);
            var inputs = new float[100 * plan.Of(0).Network.InputWidth];
            for (var step = 1; step <= batches.PerEpoch; step++)
            {
                var rows = batches.At(step, inputs).Targets.ToArray();
                Assert.DoesNotContain(rows, row => validation.Contains((int)row));
                seen += rows.Length;
            }

            Assert.Equal(plan.Dataset.Train.Count - validation.Count, seen);
        }
    }

    [Fact]
    public void A_split_that_leaves_nothing_to_train_on_is_refused()
    {
        using var two = new Samples(new NativeVector(2), [0, 1]);

        var error = Assert.Throws<SpecException>(() => ValidationSplit.Draw(two, Classes(2), 0.5, new RandomSource(1)));

        Assert.Equal("data.validationFraction is 0.5: of 2 rows none is left to train on. Make it smaller.", error.Message);
    }

    public void Dispose() => _samples.Dispose();

    /// <summary>The same inputs, each row labelled by its number.</summary>
    private static Samples Numbered(Samples samples) => samples with { Targets = [.. Enumerable.Range(0, (int)samples.Count).Select(row => (float)row)] };

    private static Classification Classes(int count) => new([.. Enumerable.Range(0, count).Select(i => $"{i}")]);
}
