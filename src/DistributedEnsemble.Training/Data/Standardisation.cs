namespace DistributedEnsemble.Training;

/// <summary>Mean and deviation of each feature, in double and in the order of the rows, so that they are the same everywhere.</summary>
internal static class Standardisation
{
    /// <summary>The deviation is √(Σ(x−mean)²/n), and 1 where that is 0 or too small for float32.</summary>
    public static Preprocessing Of(SampleRows rows)
    {
        var first = rows.Blocks.First()[..rows.Width].ToArray();
        double[] sums = new double[rows.Width], squares = new double[rows.Width];

        // Relative to the first row: the mean of equal numbers is then exactly that number, and their deviation exactly 0.
        Visit(rows, (column, value) => sums[column] += (double)value - first[column]);
        var mean = first.Zip(sums, (origin, sum) => origin + (sum / rows.Count)).ToArray();
        Visit(rows, (column, value) => squares[column] += (value - mean[column]) * (value - mean[column]));

        var deviation = squares.Select(sum => (float)Math.Sqrt(sum / rows.Count)).Select(d => d > 0 ? d : 1);
        return Preprocessing.Standardised([.. mean.Select(m => (float)m)], [.. deviation]);
    }

    private static void Visit(SampleRows rows, Action<int, float> visit)
    {
        foreach (var block in rows.Blocks)
        {
            var column = 0;
            foreach (var value in block.Span)
            {
                visit(column, value);
                if (++column == rows.Width) column = 0;
            }
        }
    }
}
