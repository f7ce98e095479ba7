using DistributedEnsemble.Training.Evaluation;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Distillation;

/// <summary>
/// The normal distribution that is proportional to the geometric mean of the models' own (a logarithmic opinion pool: Heskes, "Selecting
/// weighting factors in logarithmic opinion pools", 1998): 1/σ² = mean 1/σᵢ² and μ = σ²·mean μᵢ/σᵢ². A model that is unsure of a row has
/// little part in it, where it can make the variance of the mixture, which a student of the moments learns, many times the others'.
/// </summary>
internal static class ExpertsProduct
{
    /// <summary>How many standard errors the product must be better by.</summary>
    private const double Certain = 2;

    /// <summary>Of fewer rows a standard error is itself a guess.</summary>
    private const int FewestRows = 30;

    /// <summary>Whether it says what the rows are better than one normal distribution with the mixture's moments does, beyond chance.</summary>
    /// <param name="answers">Of each model [rows, width], not a number where the row is not the model's to answer.</param>
    /// <param name="multiplicities">How often each counts.</param>
    public static bool IsBetter(Regression task, IReadOnlyList<double[]> answers, IReadOnlyList<int> multiplicities, float[] targets)
    {
        var (moments, known) = MeasuredAnswers.Average(answers, multiplicities, targets, task.Width);
        if (known.Length < FewestRows) return false;
        double[][] terms = [.. answers.Select(answer => (double[])answer.Clone())];
        foreach (var model in terms) ToTerms(task, model);
        var product = MeasuredAnswers.Average(terms, multiplicities, targets, task.Width).Rows.Mean;
        FromTerms(task, product);
        double sum = 0, squares = 0;
        for (var row = 0; row < known.Length; row++)
        {
            var at = row * task.Width;
            var gain = task.Surprise(moments.Mean.AsSpan(at, task.Width), known.AsSpan(row, 1)) - task.Surprise(product.AsSpan(at, task.Width), known.AsSpan(row, 1));
            (sum, squares) = (sum + gain, squares + (gain * gain));
        }

        // mean > Certain · deviation / √n, with n² on both sides.
        return sum > 0 && sum * sum > Certain * Certain * (squares - (sum * sum / known.Length));
    }

    /// <summary>What the mean is taken of: answers become μᵢ/σᵢ² and 1/σᵢ².</summary>
    /// <param name="answers">[rows, width], of one model.</param>
    public static void ToTerms(Regression task, Span<double> answers)
    {
        for (; !answers.IsEmpty; answers = answers[task.Width..])
        {
            var precision = 1 / task.TotalVariance(answers[..task.Width]);
            (answers[0], answers[1], answers[2]) = (precision * answers[0], precision, 0);
        }
    }

    /// <summary>The mean of terms becomes an answer again.</summary>
    public static void FromTerms(Regression task, Span<double> mean)
    {
        for (; !mean.IsEmpty; mean = mean[task.Width..])
        {
            var center = mean[0] / mean[1];
            (mean[0], mean[1], mean[2]) = (center, 1 / mean[1], center * center);
        }
    }
}
