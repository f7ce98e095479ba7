namespace DistributedEnsemble.Training.Kernels;

/// <summary>
/// Functions of double numbers by additions and multiplications alone: learning rates and shares of averages are the same on every
/// machine, where a C library's sines and powers need not be.
/// </summary>
internal static class Exactly
{
    /// <summary>xⁿ by squaring, n ≥ 0; an error of about 2·log₂ n units in the last place.</summary>
    public static double Power(double x, int n)
    {
        var power = 1.0;
        for (; n > 0; n >>= 1, x *= x)
        {
            if ((n & 1) == 1) power *= x;
        }

        return power;
    }

    /// <summary>1 − dⁿ, without the loss of digits where dⁿ is nearly 1: with p = 1 − dᵐ, 1 − d²ᵐ is p·(2 − p) and 1 − dᵐ⁺¹ is p + (1 − p)·(1 − d).</summary>
    public static double OneMinusPower(double d, int n)
    {
        var p = 0.0;
        for (var bit = int.Log2(Math.Max(n, 1)); bit >= 0; bit--)
        {
            p *= 2 - p;
            if ((n >> bit & 1) == 1) p += (1 - p) * (1 - d);
        }

        return p;
    }

    /// <summary>cos(π·x) for 0 ≤ x ≤ 1, by Taylor's polynomials below π/4.</summary>
    public static double CosineOfHalfTurns(double x) => x switch
    {
        > 0.5 => -CosineOfHalfTurns(1 - x),
        > 0.25 => Sine(Math.PI * (0.5 - x)),
        _ => Cosine(Math.PI * x),
    };

    private static double Cosine(double angle) => 1 - Series(angle * angle, 1);

    private static double Sine(double angle) => angle * (1 - Series(angle * angle, 2));

    /// <summary>z/(k·(k+1))·(1 − z/((k+2)·(k+3))·(1 − …)), ten terms.</summary>
    private static double Series(double z, int k)
    {
        var sum = 0.0;
        for (var term = k + 18; term >= k; term -= 2) sum = z / (term * (term + 1)) * (1 - sum);
        return sum;
    }
}
