namespace DistributedEnsemble.Training.Tasks;

/// <summary>
/// A centre and a scale of numbers in which one of them has a bounded part, and mostly none: the mean and the deviation after the
/// tails were drawn in (winsorised), both rounded coarsely.
/// </summary>
internal static class RobustScale
{
    /// <summary>The shares of the numbers that are drawn in at each end; the smaller ones where all between them are the same.</summary>
    private static readonly double[] s_tails = [0.1, 0.05, 0.01];

    /// <returns>
    /// The power of two nearest to the deviation, and the multiple of it that is nearest to the mean; null where nearly all numbers
    /// are the same, or too far from 0 for that.
    /// </returns>
    public static (double Centre, double Scale)? Of(IEnumerable<double> numbers)
    {
        double[] sorted = [.. numbers.Order()];
        foreach (var tail in s_tails)
        {
            var place = (int)(tail * sorted.Length);
            var (least, greatest, sum, squares) = (sorted[place], sorted[sorted.Length - 1 - place], 0.0, 0.0);
            if (least == greatest) continue;
            // From the least: large numbers that lie close together keep their digits.
            foreach (var number in sorted) sum += Math.Clamp(number, least, greatest) - least;
            var mean = sum / sorted.Length;
            foreach (var number in sorted) squares += (Math.Clamp(number, least, greatest) - least - mean) * (Math.Clamp(number, least, greatest) - least - mean);
            var scale = Math.ScaleB(1, (int)Math.Round(Math.Log2(Math.Sqrt(squares / sorted.Length))));
            var centre = Math.Round((least + mean) / scale) * scale;
            return double.IsNormal(scale) && double.IsFinite(centre) ? (centre, scale) : null;
        }

        return null;
    }
}
