using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Training.Tasks;

/// <summary>The mean of answers to rows that are not every model's to answer, added one model after another: of each row over those that answered.</summary>
/// <param name="width">Numbers of an answer.</param>
internal sealed class PartialAnswerMean(int rows, int width)
{
    private readonly double[] _sum = AnswerArray.New(rows, width);
    private readonly int[] _counts = new int[rows];

    /// <param name="answers">[rows, width], row after row; a row that is not the model's to answer is not a number.</param>
    /// <param name="multiplicity">How often they count.</param>
    public void Add(ReadOnlySpan<double> answers, int multiplicity = 1)
    {
        for (var row = 0; row < _counts.Length; row++)
        {
            if (double.IsNaN(answers[row * width])) continue;
            _counts[row] += multiplicity;
            for (var i = row * width; i < (row + 1) * width; i++) _sum[i] += multiplicity * answers[i];
        }
    }

    /// <returns>Not a number where no model answered.</returns>
    public double[] ToArray() => [.. _sum.Select((sum, i) => sum / _counts[i / width])];
}
