using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Randomness;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Tests.Members;

public sealed class BatchesTests : IDisposable
{
    private const int Rows = 25;

    /// <summary>Row r has the inputs 10·r and 10·r + 1 and the label r.</summary>
    private readonly Samples _samples = new(
        arange(Rows, ScalarType.Float32).mul(10).unsqueeze(1).add(tensor(new float[] { 0, 1 })).ToVector(), [.. Enumerable.Range(0, Rows).Select(row => (float)row)]);

    private readonly RandomSource _random = new(4);

    [Fact]
    public void Each_epoch_is_a_permutation_of_the_training_rows_and_keeps_the_last_smaller_batch()
    {
        int[] rows = [.. Enumerable.Range(0, Rows).Where(row => row % 7 != 0)];
        var batches = ListedRows.Batches(_samples, rows, batchSize: 8, _random, member: 0);

        Assert.Equal(3, batches.PerEpoch);
        var epochs = Enumerable.Range(0, 4).Select(epoch => Labels(batches, epoch)).ToList();
        Assert.All(epochs, epoch => Assert.Equal([8, 8, rows.Length - 16], epoch.Select(batch => batch.Length)));
        Assert.All(epochs, epoch => Assert.Equal(rows.Select(row => (float)row), epoch.SelectMany(batch => batch).Order()));
        Assert.Equal(4, epochs.Select(epoch => string.Join(' ', epoch.SelectMany(batch => batch))).Distinct().Count());
    }

    [Fact]
    public void Inputs_and_labels_stay_together()
    {
        var batches = ListedRows.Batches(_samples, [.. Enumerable.Range(0, Rows)], batchSize: 8, _random, member: 0);
        foreach (var step in (int[])[1, 4, 7])
        {
            var inputs = new float[2 * batches.Size];
            var batch = batches.At(step, inputs);
            var labels = batch.Targets.ToArray();
            Assert.Equal(labels.SelectMany(label => (float[])[10 * label, (10 * label) + 1]), inputs[..(2 * batch.Rows)]);
        }
    }

    [Fact]
    public void A_batch_depends_on_member_and_step_and_not_on_what_was_asked_before()
    {
        int[] rows = [.. Enumerable.Range(0, Rows)];
        var batches = ListedRows.Batches(_samples, rows, batchSize: 10, _random, member: 1);
        var others = ListedRows.Batches(_samples, rows, batchSize: 10, _random, member: 2);
        var resumed = ListedRows.Batches(_samples, rows, batchSize: 10, _random, member: 1);
        for (var step = 1; step < 8; step++) LabelsAt(batches, step);

        Assert.Equal(LabelsAt(batches, 8), LabelsAt(resumed, 8));
        Assert.NotEqual(LabelsAt(others, 8), LabelsAt(resumed, 8));
    }

    [Fact]
    public void A_batch_larger_than_the_data_is_all_of_it()
    {
        var batches = ListedRows.Batches(_samples, [3, 5, 8], batchSize: 100, _random, member: 0);

        Assert.Equal(1, batches.PerEpoch);
        Assert.Equal([3, 5, 8], LabelsAt(batches, 2).Order());
    }

    [Fact]
    public void Further_rows_are_dealt_among_the_others_and_come_last_in_each_batch()
    {
        var further = new Samples(tensor(new float[] { -1, -1, -2, -2, -3, -3 }).ToVector(), [101, 102, 103]);
        var batches = ListedRows.Batches(_samples, [3, 5, 8, 9, 11], batchSize: 3, _random, member: 0, further);

        Assert.Equal(3, batches.PerEpoch);
        var labelled = new HashSet<int>();
        for (var epoch = 0; epoch < 4; epoch++)
        {
            var all = new List<float>();
            for (var step = (epoch * 3) + 1; step <= (epoch + 1) * 3; step++)
            {
                var inputs = new float[2 * batches.Size];
                var batch = batches.At(step, inputs);
                var targets = batch.Targets.ToArray();
                Assert.All(targets[..batch.Labelled], label => Assert.InRange(label, 3, 11));
                Assert.All(targets[batch.Labelled..], label => Assert.InRange(label, 101, 103));
                Assert.Equal(targets.Select(label => label > 100 ? 100 - label : 10 * label), inputs.Where((_, i) => i % 2 == 0).Take(batch.Rows));
                Assert.Equal(targets.Select(label => label > 100 ? Rows + (int)label - 101 : (int)label), batch.Order.ToArray());
                labelled.Add(batch.Labelled);
                all.AddRange(targets);
            }

            Assert.Equal([3, 5, 8, 9, 11, 101, 102, 103], all.Order());
        }

        Assert.True(labelled.Count > 1);
        further.Dispose();
    }

    public void Dispose() => _samples.Dispose();

    private static List<float[]> Labels(Batches batches, int epoch) =>
        [.. Enumerable.Range((epoch * batches.PerEpoch) + 1, batches.PerEpoch).Select(step => LabelsAt(batches, step))];

    private static float[] LabelsAt(Batches batches, int step) => batches.At(step, new float[2 * batches.Size]).Targets.ToArray();
}
