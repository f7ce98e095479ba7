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

    /// <param name="rows">That train.</param>
    /// <returns>By ascending place; none of rows that are no vectors.</returns>
    public static IReadOnlyList<NumberInput> Of(Dataset dataset, int[] rows)
    {
        if (dataset.InputShape.Length != 1) return [];
        var train = dataset.Train;
        var values = new float[Math.Min(rows.Length, MostRows)];
        var bins = Math.Clamp(rows.Length / RowsOfBin, FewestBins, MostBins);
        var numbers = new List<NumberInput>();
        foreach (var place in Enumerable.Range(0, train.Width).Except(dataset.Embedded.Select(input => input.Place)))
        {
            for (var i = 0; i < values.Length; i++) values[i] = train.InputsOf(rows[(long)rows.Length * i / values.Length], 1)[place];
            Array.Sort(values);
            float[] edges = [.. Enumerable.Range(0, bins + 1).Select(i => values[(int)((values.Length - 1L) * i / bins)]).Distinct()];
            // Two values are a yes or no, which a line already tells apart.
            if (edges.Length > 2) numbers.Add(new NumberInput(place, edges));
        }

        return numbers;
    }
}
