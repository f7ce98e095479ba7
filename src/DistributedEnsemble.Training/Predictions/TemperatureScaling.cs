using System.Numerics.Tensors;

namespace DistributedEnsemble.Training.Predictions;

/// <summary>
/// Calibration by one number (Guo et al., "On calibration of modern neural networks", ICML 2017, section 4.2), here of an
/// average: p ∝ p̄^(1/T). T above 1 softens, below 1 sharpens; the most probable class stays.
/// </summary>
internal static class TemperatureScaling
{
    /// <summary>Where T is looked for: data that the average explains without error would drive it to 0.</summary>
    public const double Lowest = 0.05, Highest = 20;

    /// <summary>Halvings of the bracket: 2⁻⁵⁰ of it is below the rounding of the result.</summary>
    private const int Halvings = 50;

    /// <summary>The temperature of the smallest negative log-likelihood.</summary>
    /// <remarks>
    /// In β = 1/T the likelihood is that of an exponential family, so its negative logarithm is convex and the derivative
    /// monotone: bisection finds the minimum from anywhere.
    /// </remarks>
    /// <param name="probabilities">[rows, classes], row after row.</param>
    /// <param name="labels">The class of each row.</param>
    public static double Fit(ReadOnlySpan<double> probabilities, ReadOnlySpan<float> labels)
    {
        var logarithms = Logarithms(probabilities);
        var (low, high) = (1 / Highest, 1 / Lowest);
        for (var i = 0; i < Halvings; i++)
        {
            var middle = (low + high) / 2;
            if (Slope(logarithms, labels, middle) < 0) low = middle;
            else high = middle;
        }

        return 2 / (low + high);
    }

    /// <summary>p ∝ p̄^(1/T) of each row.</summary>
    /// <param name="probabilities">[rows, classes], row after row.</param>
    public static double[] Apply(ReadOnlySpan<double> probabilities, int classes, double temperature)
    {
        var logarithms = Logarithms(probabilities);
        var (scaled, row) = (new double[probabilities.Length], new double[classes]);
        for (var start = 0; start < scaled.Length; start += classes)
        {
            Softmax(logarithms.AsSpan(start, classes), 1 / temperature, row);
            for (var c = 0; c < classes; c++) scaled[start + c] = row[c];
        }

        return scaled;
    }

    /// <summary>d/dβ of the sum of −ln p_label: Σ_rows (Σ_c p_c·z_c − z_label), z = ln p̄ and p = softmax(β·z).</summary>
    private static double Slope(double[] logarithms, ReadOnlySpan<float> labels, double beta)
    {
        var (classes, slope) = (logarithms.Length / labels.Length, 0.0);
        var softmax = new double[classes];
        for (var row = 0; row < labels.Length; row++)
        {
            var z = logarithms.AsSpan(row * classes, classes);
            Softmax(z, beta, softmax);
            slope += TensorPrimitives.Dot<double>(softmax, z) - z[(int)labels[row]];
        }

        return slope;
    }

    private static void Softmax(ReadOnlySpan<double> z, double beta, double[] softmax)
    {
        var (highest, sum) = (TensorPrimitives.Max(z), 0.0);
        for (var c = 0; c < softmax.Length; c++) sum += softmax[c] = Math.Exp(beta * (z[c] - highest));
        TensorPrimitives.Divide(softmax, sum, softmax);
    }

    /// <summary>A probability that underflowed counts as the smallest there is.</summary>
    private static double[] Logarithms(ReadOnlySpan<double> probabilities)
    {
        var logarithms = new double[probabilities.Length];
        for (var i = 0; i < logarithms.Length; i++) logarithms[i] = Math.Log(Math.Max(probabilities[i], float.Epsilon));
        return logarithms;
    }
}
