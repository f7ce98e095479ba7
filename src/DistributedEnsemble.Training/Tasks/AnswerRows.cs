using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace DistributedEnsemble.Training.Tasks;

/// <summary>What models answer to some rows, and their mean.</summary>
/// <param name="Models">[rows, width] of each.</param>
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

    /// <summary>One model, alone.</summary>
    public static AnswerRows Of(ReadOnlyMemory<double> model) => Of([model], [1]);

    /// <inheritdoc cref="Of(IReadOnlyList{ReadOnlyMemory{double}}, IReadOnlyList{int})"/>
    public static AnswerRows Of(ConstituentAnswers answers, IReadOnlyList<int> multiplicities) =>
        Of([.. answers.Values.Select(values => values.AsMemory())], multiplicities);
}
