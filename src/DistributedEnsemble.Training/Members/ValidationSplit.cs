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

    /// <summary>Ascending rows to train on. They are listed when somebody trains: of long tables each array counts.</summary>
    public int[] Training => LazyInitializer.EnsureInitialized(ref _training, ListTraining);

    /// <exception cref="SpecException">Nothing would be left to train on.</exception>
    public static ValidationSplit Draw(Samples samples, LearningTask task, double fraction, RandomSource random)
    {
        var targets = samples.Targets;
        var starts = new int[task.Strata + 1];
        foreach (var target in targets) starts[task.Stratum(target) + 1]++;
        for (var stratum = 0; stratum < task.Strata; stratum++) starts[stratum + 1] += starts[stratum];

        // The rows of one stratum after those of another, in memory that is given back at once: of long tables each array counts.
        using var memory = new NativeVector(targets.Length);
        var rows = MemoryMarshal.Cast<float, int>(memory.Span);
        var next = starts[..^1];
        for (var row = 0; row < targets.Length; row++) rows[next[task.Stratum(targets[row])]++] = row;
        var (validates, count) = (new BitArray(targets.Length), 0);
        for (var stratum = 0; stratum < task.Strata; stratum++)
        {
            var members = rows[starts[stratum]..starts[stratum + 1]];
            random.Shuffle(new DistributedEnsemble.Training.Randomness.Draw(Purpose.DataSplit, 0, 0, (uint)stratum), members);
            var chosen = (int)Math.Round(members.Length * fraction, MidpointRounding.AwayFromZero);
            foreach (var row in members[..chosen]) validates[row] = true;
            count += chosen;
        }

        if (count == targets.Length)
        {
            throw new SpecException($"data.validationFraction is {fraction}: of {targets.Length} rows none is left to train on. Make it smaller.");
        }

        var validation = new int[count];
        for (int row = 0, i = 0; row < targets.Length; row++)
        {
            if (validates[row]) validation[i++] = row;
        }

        return new ValidationSplit(targets.Length, validation);
    }

    private int[] ListTraining()
    {
        var training = new int[TrainingCount];
        for (int row = 0, i = 0, j = 0; row < Rows; row++)
        {
            if (j < Validation.Length && Validation[j] == row) j++;
            else training[i++] = row;
        }

        return training;
    }
}
