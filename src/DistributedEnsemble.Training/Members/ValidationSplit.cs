using System.Collections;
using System.Runtime.InteropServices;
using DistributedEnsemble.Randomness;
using DistributedEnsemble.Specs;
using DistributedEnsemble.Training.Data;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Randomness;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Members;

/// <summary>
/// Which training rows only choose: drawn by the run's seed, the same share of every class (of a regression: of all rows), common
/// to all members.
/// </summary>
/// <param name="Rows">All of them.</param>
/// <param name="Validation">Ascending rows that only choose.</param>
public sealed record ValidationSplit(int Rows, int[] Validation)
{
    private int[]? _training;

    public int TrainingCount => Rows - Validation.Length;

    /// <summary>Ascending rows to train on. They are listed when somebody first asks for them: of long tables each array counts.</summary>
    public int[] Training => LazyInitializer.EnsureInitialized(ref _training, ListTraining);

    /// <exception cref="SpecException">Nothing would be left to train on.</exception>
    public static ValidationSplit Draw(Samples samples, LearningTask task, double fraction, RandomSource random) =>
        Draw(samples.Targets.Length, task.Strata, row => task.Stratum(samples.Targets[row]), fraction, random);

    /// <param name="stratumOf">Of a row, below <paramref name="strata"/>.</param>
    /// <inheritdoc cref="Draw(Samples, LearningTask, double, RandomSource)"/>
    internal static ValidationSplit Draw(int count, int strata, Func<int, int> stratumOf, double fraction, RandomSource random)
    {
        var starts = new int[strata + 1];
        for (var row = 0; row < count; row++) starts[stratumOf(row) + 1]++;
        for (var stratum = 0; stratum < strata; stratum++) starts[stratum + 1] += starts[stratum];

        // The rows of one stratum after those of another, in memory that is given back at once: of long tables each array counts.
        using var memory = new NativeVector(count);
        var rows = MemoryMarshal.Cast<float, int>(memory.Span);
        var next = starts[..^1];
        for (var row = 0; row < count; row++) rows[next[stratumOf(row)]++] = row;
        var (validates, chosen) = (new BitArray(count), 0);
        for (var stratum = 0; stratum < strata; stratum++)
        {
            var members = rows[starts[stratum]..starts[stratum + 1]];
            random.Shuffle(new DistributedEnsemble.Training.Randomness.Draw(Purpose.DataSplit, 0, 0, (uint)stratum), members);
            var share = (int)Math.Round(members.Length * fraction, MidpointRounding.AwayFromZero);
            foreach (var row in members[..share]) validates[row] = true;
            chosen += share;
        }

        if (chosen == count)
        {
            throw new SpecException($"data.validationFraction is {fraction}: of {count} rows none is left to train on. Make it smaller.");
        }

        var validation = new int[chosen];
        for (int row = 0, i = 0; row < count; row++)
        {
            if (validates[row]) validation[i++] = row;
        }

        return new ValidationSplit(count, validation);
    }

    /// <summary>Lists the rows to train on, ascending.</summary>
    internal void List(Span<int> training)
    {
        for (int row = 0, i = 0, j = 0; row < Rows; row++)
        {
            if (j < Validation.Length && Validation[j] == row) j++;
            else training[i++] = row;
        }
    }

    /// <summary>One of the rows to train on, by its place among them: without a list of all.</summary>
    internal int TrainingRow(int place)
    {
        // Of validation rows, those that have at most so many training rows before them lie before it.
        var (before, end) = (0, Validation.Length);
        while (before < end)
        {
            var middle = (before + end) / 2;
            if (Validation[middle] - middle <= place) before = middle + 1;
            else end = middle;
        }

        return place + before;
    }

    private int[] ListTraining()
    {
        var training = new int[TrainingCount];
        List(training);
        return training;
    }
}
