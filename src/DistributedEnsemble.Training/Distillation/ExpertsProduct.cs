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
    /// <param name="multiplicities">How often each model counts.</param>
    /// <param name="pieces">
    /// Some rows' answers of each model [rows, width], not a number where the row is not the model's to answer, which become its terms; and
    /// the rows' targets. Nothing of a piece is kept: all training rows can be measured, by many models.
    /// </param>
    public static bool IsBetter(Regression task, IReadOnlyList<int> multiplicities, IEnumerable<(double[][] Answers, ReadOnlyMemory<float> Targets)> pieces)
    {
        var (rows, sum, squares) = (0, 0.0, 0.0);
        foreach (var (answers, targets) in pieces)
        {
            foreach (var gain in Gains(task, multiplicities, answers, targets)) (rows, sum, squares) = (rows + 1, sum + gain, squares + (gain * gain));
        }

        // mean > Certain · deviation / √n, with n² on both sides.
        return rows >= FewestRows && sum > 0 && sum * sum > Certain * Certain * (squares - (sum * sum / rows));
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

    /// <summary>How much less each row that any model may answer to surprises the product than the mixture's moments.</summary>
    private static IEnumerable<double> Gains(Regression task, IReadOnlyList<int> multiplicities, double[][] answers, ReadOnlyMemory<float> targets)
    {
        var (mixture, terms) = (new PartialAnswerMean(targets.Length, task.Width), new PartialAnswerMean(targets.Length, task.Width));
        foreach (var (model, multiplicity) in answers.Zip(multiplicities))
        {
            mixture.Add(model, multiplicity);
            ToTerms(task, model);
            terms.Add(model, multiplicity);
        }

        var (moments, product) = (mixture.ToArray(), terms.ToArray());
        FromTerms(task, product);
        for (var row = 0; row < targets.Length; row++)
        {
            var at = row * task.Width;
            if (!double.IsNaN(moments[at])) yield return Surprise(moments) - Surprise(product);

            double Surprise(double[] mean) => task.Surprise(mean.AsSpan(at, task.Width), targets.Span.Slice(row, 1));
        }
    }
}
