using System.Runtime.InteropServices;
using DistributedEnsemble.Predictions;

namespace DistributedEnsemble.Training.Tasks;

/// <summary>What models answer to some rows, and their mean.</summary>
/// <param name="Models">[rows, width] of each; a row that is not a model's to answer is not a number.</param>
/// <param name="Multiplicities">How often each counts in the mean.</param>
/// <param name="Mean">[rows, width].</param>
public sealed record AnswerRows(IReadOnlyList<ReadOnlyMemory<double>> Models, IReadOnlyList<int> Multiplicities, double[] Mean)
{
    public static AnswerRows Of(IReadOnlyList<ReadOnlyMemory<double>> models, IReadOnlyList<int> multiplicities)
    {
        // One model is its own mean; of long tables each copy counts.
        if ((models, multiplicities) is ([var only], [1]) && MemoryMarshal.TryGetArray(only, out var all) && all.Array is { } array && all.Count == array.Length)
            return new AnswerRows(models, multiplicities, array);
        var mean = new AnswerMean();
        for (var i = 0; i < models.Count; i++) mean.Add(models[i].Span, multiplicities[i]);
        return new AnswerRows(models, multiplicities, mean.ToArray());
    }

    /// <summary>Answers to rows that are not every model's to answer: the mean of each row is over those that did.</summary>
    /// <param name="width">Numbers of an answer.</param>
    public static AnswerRows OfSome(IReadOnlyList<ReadOnlyMemory<double>> models, IReadOnlyList<int> multiplicities, int width)
    {
        var rows = models[0].Length / width;
        var (mean, counts) = (new double[rows * width], new int[rows]);
        for (var i = 0; i < models.Count; i++)
        {
            var answers = models[i].Span;
            for (var row = 0; row < rows; row++)
            {
                if (double.IsNaN(answers[row * width])) continue;
                counts[row] += multiplicities[i];
                for (var j = row * width; j < (row + 1) * width; j++) mean[j] += multiplicities[i] * answers[j];
            }
        }

        for (var row = 0; row < rows; row++)
        {
            for (var j = row * width; j < (row + 1) * width; j++) mean[j] /= counts[row];
        }

        return new AnswerRows(models, multiplicities, mean);
    }

    /// <summary>Whether a model answered to a row.</summary>
    public bool Has(int model, int row, int width) => !double.IsNaN(Models[model].Span[row * width]);

    /// <summary>One model, alone.</summary>
    public static AnswerRows Of(ReadOnlyMemory<double> model) => Of([model], [1]);

    /// <inheritdoc cref="Of(IReadOnlyList{ReadOnlyMemory{double}}, IReadOnlyList{int})"/>
    public static AnswerRows Of(ConstituentAnswers answers, IReadOnlyList<int> multiplicities) =>
        Of([.. answers.Values.Select(values => values.AsMemory())], multiplicities);
}
