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
        var mean = new PartialAnswerMean(models[0].Length / width, width);
        for (var i = 0; i < models.Count; i++) mean.Add(models[i].Span, multiplicities[i]);
        return new AnswerRows(models, multiplicities, mean.ToArray());
    }

    /// <summary>Whether a model answered to a row.</summary>
    public bool Has(int model, int row, int width) => !double.IsNaN(Models[model].Span[row * width]);

    /// <summary>One model, alone.</summary>
    public static AnswerRows Of(ReadOnlyMemory<double> model) => Of([model], [1]);

    /// <inheritdoc cref="Of(IReadOnlyList{ReadOnlyMemory{double}}, IReadOnlyList{int})"/>
    public static AnswerRows Of(ConstituentAnswers answers, IReadOnlyList<int> multiplicities) =>
        Of([.. answers.Values.Select(values => values.AsMemory())], multiplicities);
}
