using System.Numerics;
using System.Runtime.CompilerServices;

namespace DistributedEnsemble.Training.Kernels;

/// <summary>−w·ln softmax(scores)[target], natural logarithm, w the class's weight; its gradient is w·(softmax − one-hot).</summary>
/// <remarks>Exponentials and logarithms of many rows at once: few have as many classes as a vector has places. Sums in double, in the order of the classes and of the rows.</remarks>
internal static unsafe class CrossEntropy
{
    /// <summary>Whose sums lie on the stack together.</summary>
    private const int RowsAtOnce = 64;

    /// <param name="scores">[rows, classes].</param>
    /// <param name="targets">[rows]: the place of each row's class.</param>
    /// <param name="weights">[classes]; empty if all are 1.</param>
    /// <param name="gradient">[rows, classes]: overwritten with d(mean loss)/d(scores).</param>
    /// <returns>The mean over the rows.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    public static double Loss(ReadOnlySpan<float> scores, ReadOnlySpan<float> targets, int classes, ReadOnlySpan<float> weights, Span<float> gradient)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(scores.Length, targets.Length * classes);
        ArgumentOutOfRangeException.ThrowIfLessThan(gradient.Length, scores.Length);
        var loss = 0.0;
        fixed (float* ofScores = scores, ofTargets = targets, ofGradient = gradient, ofWeights = weights)
        {
            for (var first = 0; first < targets.Length; first += RowsAtOnce)
            {
                loss = Add(
                    loss, ofScores + (nint)first * classes, ofTargets + first, Math.Min(RowsAtOnce, targets.Length - first), classes,
                    ofWeights, ofGradient + (nint)first * classes, targets.Length);
            }
        }

        return loss / targets.Length;
    }

    /// <param name="loss">Of the rows before.</param>
    /// <param name="all">Rows of the mean.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization), SkipLocalsInit]
    private static double Add(double loss, float* scores, float* targets, int rows, int classes, float* weights, float* slopes, int all)
    {
        double* distances = stackalloc double[RowsAtOnce], sums = stackalloc double[RowsAtOnce];
        var logarithms = stackalloc float[RowsAtOnce];
        for (var row = 0; row < rows; row++)
        {
            float* ofRow = scores + (nint)row * classes, differences = slopes + (nint)row * classes;
            var target = (int)targets[row];
            if ((uint)target >= (uint)classes) throw new ArgumentOutOfRangeException(nameof(targets), target, "There is no such class.");
            var highest = *ofRow;
            for (var c = 1; c < classes; c++) highest = ofRow[c] > highest ? ofRow[c] : highest;
            for (var c = 0; c < classes; c++) differences[c] = ofRow[c] - highest;
            distances[row] = (double)ofRow[target] - highest;
        }

        var exponentials = new Span<float>(slopes, rows * classes);
        Elementary.Exp(exponentials, exponentials);
        for (var row = 0; row < rows; row++)
        {
            var (ofRow, sum) = ((nint)row * classes, 0.0);
            for (var c = 0; c < classes; c++) sum += slopes[ofRow + c];
            sums[row] = sum;
            logarithms[row] = (float)sum;
        }

        Elementary.Log(new ReadOnlySpan<float>(logarithms, rows), new Span<float>(logarithms, rows));
        // Of a power of two the reciprocal is exact: to multiply by it gives the bits of a division, and takes less time.
        var share = BitOperations.IsPow2(all) ? 1.0 / all : 0;
        for (var row = 0; row < rows; row++, slopes += classes)
        {
            var (target, sum) = ((int)targets[row], sums[row]);
            var weight = weights is null ? 1.0 : weights[target];
            loss += weight * ((double)logarithms[row] - distances[row]);
            var ofTarget = Mean(weight * (slopes[target] / sum - 1));
            for (var c = 0; c < classes; c++) slopes[c] = Mean(weight * (slopes[c] / sum));
            slopes[target] = ofTarget;
        }

        return loss;

        float Mean(double slope) => (float)(share > 0 ? slope * share : slope / all);
    }
}
