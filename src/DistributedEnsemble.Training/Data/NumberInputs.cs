using DistributedEnsemble.Training.Members;
using DistributedEnsemble.Training.Networks;

namespace DistributedEnsemble.Training.Data;

/// <summary>Finds the inputs that are numbers of many values, and the quantiles of the rows that train that divide each into bins.</summary>
internal static class NumberInputs
{
    /// <summary>A bin has so many rows, as long as that leaves a few bins: what bends at every row learns rows by heart.</summary>
    private const int RowsOfBin = 25;

    private const int FewestBins = 4, MostBins = 48;

    /// <summary>Of longer data every so many rows are looked at.</summary>
    private const int MostRows = 1 << 16;

    /// <param name="split">Which rows train.</param>
    /// <param name="mostNumbers">That are looked at together: rows may lie in a file.</param>
    /// <returns>By ascending place; none of rows that are no vectors.</returns>
    public static IReadOnlyList<NumberInput> Of(Dataset dataset, ValidationSplit split, int mostNumbers = 1 << 20)
    {
        if (dataset.InputShape.Length != 1) return [];
        var train = dataset.Train;
        var count = Math.Min(split.TrainingCount, MostRows);
        var bins = Math.Clamp(split.TrainingCount / RowsOfBin, FewestBins, MostBins);
        var numbers = new List<NumberInput>();
        var isLevel = dataset.Embedded.Select(input => input.Place).ToHashSet();
        var columns = Enumerable.Range(0, Math.Min(train.Width, Math.Max(1, mostNumbers / count))).Select(_ => new float[count]).ToArray();
        var copy = new float[columns.Length];
        for (var first = 0; first < train.Width; first += columns.Length)
        {
            var together = Math.Min(columns.Length, train.Width - first);
            for (var i = 0; i < count; i++)
            {
                var inputs = train.InputsOf(split.TrainingRow((int)((long)split.TrainingCount * i / count)), first, together, copy);
                for (var column = 0; column < together; column++) columns[column][i] = inputs[column];
            }

            for (var column = 0; column < together; column++)
            {
                if (isLevel.Contains(first + column)) continue;
                var values = columns[column];
                Array.Sort(values);
                float[] edges = [.. Enumerable.Range(0, bins + 1).Select(i => values[(int)((values.Length - 1L) * i / bins)]).Distinct()];
                // Two values are a yes or no, which a line already tells apart.
                if (edges.Length > 2) numbers.Add(new NumberInput(first + column, edges));
            }
        }

        return numbers;
    }
}
