namespace DistributedEnsemble.Training.Tasks;

/// <summary>The normal distribution of mean 0 and variance 1, in double.</summary>
internal static class Normal
{
    private static readonly double s_rootTwoPi = Math.Sqrt(2 * Math.PI);

    // W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23, 1969: relative errors below 1.2e-16.
    private static readonly double[] s_smallP = [1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3];
    private static readonly double[] s_smallQ = [1, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3];

    private static readonly double[] s_middleP =
    [
        2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1, 2.98635138197400131e2, 8.81952221241769090e2,
        1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3,
    ];

    private static readonly double[] s_middleQ =
    [
        1, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3, 3.29079923573345963e3, 4.36261909014324716e3,
        3.43936767414372164e3, 1.23033935480374942e3,
    ];

    private static readonly double[] s_largeP =
        [1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1, 1.60837851487422766e-2, 6.58749161529837803e-4];

    private static readonly double[] s_largeQ =
        [1, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1, 6.05183413124413191e-2, 2.33520497626869185e-3];

    /// <summary>φ(x).</summary>
    public static double Density(double x) => Math.Exp(-x * x / 2) / s_rootTwoPi;

    /// <summary>Φ(x).</summary>
    public static double Cumulative(double x) => ComplementOfError(-x / Math.Sqrt(2)) / 2;

    /// <summary>Φ⁻¹(p), p in (0, 1).</summary>
    public static double Quantile(double p)
    {
        var (low, high) = (-40.0, 40.0);
        while (high - low > 1e-13 * Math.Max(1, Math.Abs(low)))
        {
            var middle = (low + high) / 2;
            if (middle == low || middle == high) break;
            if (Cumulative(middle) < p) low = middle;
            else high = middle;
        }

        return (low + high) / 2;
    }

    /// <summary>erfc(x) = 2/√π·∫ₓ^∞ e^(−t²) dt.</summary>
    private static double ComplementOfError(double x)
    {
        var y = Math.Abs(x);
        if (y <= 0.46875) return 1 - x * Ratio(s_smallP, s_smallQ, y * y);
        var tail = y <= 4 ? Math.Exp(-y * y) * Ratio(s_middleP, s_middleQ, y) : Tail(y);
        return x < 0 ? 2 - tail : tail;
    }

    private static double Tail(double y)
    {
        var inverse = 1 / (y * y);
        return Math.Exp(-y * y) / y * (1 / Math.Sqrt(Math.PI) - inverse * Ratio(s_largeP, s_largeQ, inverse));
    }

    private static double Ratio(double[] p, double[] q, double x)
    {
        var (above, below) = (0.0, 0.0);
        foreach (var coefficient in p) above = above * x + coefficient;
        foreach (var coefficient in q) below = below * x + coefficient;
        return above / below;
    }
}
