namespace DistributedEnsemble.Training.Tasks;

/// <summary>Finds where a function of one number is smallest.</summary>
internal static class Minimisation
{
    /// <summary>Points of the grid on which the search begins, and steps of the golden section around the best of them.</summary>
    private const int Points = 33, Steps = 40;

    private static readonly double s_golden = (Math.Sqrt(5) - 1) / 2;

    public static double Of(Func<double, double> function, double low, double high)
    {
        var width = (high - low) / (Points - 1);
        var best = Enumerable.Range(0, Points).Select(i => low + i * width).MinBy(function);
        (low, high) = (Math.Max(low, best - width), Math.Min(high, best + width));
        var (left, right) = (high - s_golden * (high - low), low + s_golden * (high - low));
        var (atLeft, atRight) = (function(left), function(right));
        for (var i = 0; i < Steps; i++)
        {
            if (atLeft <= atRight)
            {
                (high, right, atRight) = (right, left, atLeft);
                left = high - s_golden * (high - low);
                atLeft = function(left);
            }
            else
            {
                (low, left, atLeft) = (left, right, atRight);
                right = low + s_golden * (high - low);
                atRight = function(right);
            }
        }

        return (low + high) / 2;
    }
}
