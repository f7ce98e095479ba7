using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training;

/// <summary>
/// Which training rows only choose: drawn by the run's seed, the same share of every class (of a regression: of all rows), common
/// to all members.
/// </summary>
/// <param name="Training">Ascending rows to train on.</param>
/// <param name="Validation">Ascending rows that only choose.</param>
public sealed record ValidationSplit(int[] Training, int[] Validation)
{
    /// <exception cref="SpecException">Nothing would be left to train on.</exception>
    public static ValidationSplit Draw(Samples samples, LearningTask task, double fraction, RandomSource random)
    {
        var targets = samples.Targets;
        var strata = Enumerable.Range(0, task.Strata).Select(_ => new List<int>()).ToArray();
        for (var row = 0; row < targets.Length; row++) strata[task.Stratum(targets[row])].Add(row);
        var (training, validation) = (new List<int>(targets.Length), new List<int>());
        foreach (var (stratum, members) in strata.Index())
        {
            var rows = members.ToArray();
            random.Shuffle(new DistributedEnsemble.Training.Draw(Purpose.DataSplit, 0, 0, (uint)stratum), rows);
            var chosen = (int)Math.Round(rows.Length * fraction, MidpointRounding.AwayFromZero);
            validation.AddRange(rows[..chosen]);
            training.AddRange(rows[chosen..]);
        }

        if (training.Count == 0)
        {
            throw new SpecException($"data.validationFraction is {fraction}: of {targets.Length} rows none is left to train on. Make it smaller.");
        }

        return new ValidationSplit([.. training.Order()], [.. validation.Order()]);
    }
}
