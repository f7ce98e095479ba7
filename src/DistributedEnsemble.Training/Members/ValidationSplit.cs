using System.Runtime.InteropServices;

namespace DistributedEnsemble.Training;

/// <summary>
/// Which training rows only choose: drawn by the run's seed, the same share of every class, common to all members.
/// </summary>
/// <param name="Training">Ascending rows to train on.</param>
/// <param name="Validation">Ascending rows that only choose.</param>
public sealed record ValidationSplit(int[] Training, int[] Validation)
{
    /// <exception cref="SpecException">Nothing would be left to train on.</exception>
    public static ValidationSplit Draw(Samples samples, int classes, double fraction, RandomSource random)
    {
        var labels = MemoryMarshal.Cast<byte, long>(samples.Labels.bytes);
        var byClass = Enumerable.Range(0, classes).Select(_ => new List<int>()).ToArray();
        for (var row = 0; row < labels.Length; row++) byClass[labels[row]].Add(row);
        var (training, validation) = (new List<int>(labels.Length), new List<int>());
        for (var label = 0; label < classes; label++)
        {
            var rows = byClass[label].ToArray();
            random.Shuffle(new DistributedEnsemble.Training.Draw(Purpose.DataSplit, 0, 0, (uint)label), rows);
            var chosen = (int)Math.Round(rows.Length * fraction, MidpointRounding.AwayFromZero);
            validation.AddRange(rows[..chosen]);
            training.AddRange(rows[chosen..]);
        }

        if (training.Count == 0)
        {
            throw new SpecException($"data.validationFraction is {fraction}: of {labels.Length} rows none is left to train on. Make it smaller.");
        }

        return new ValidationSplit([.. training.Order()], [.. validation.Order()]);
    }
}
