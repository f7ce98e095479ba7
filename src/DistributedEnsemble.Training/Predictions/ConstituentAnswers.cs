using System.Runtime.InteropServices;

namespace DistributedEnsemble.Training;

/// <summary>The answers of single constituents, as they travel between silos.</summary>
public static class ConstituentAnswers
{
    /// <summary>Takes over the arrays of the answers.</summary>
    public static ConstituentProbabilities Of(IEnumerable<RowAnswers> answers)
    {
        var all = answers.ToList();
        return new ConstituentProbabilities(
            [.. all.Select(answer => ImmutableCollectionsMarshal.AsImmutableArray(answer.Probabilities))],
            [.. all.Select(answer => ImmutableCollectionsMarshal.AsImmutableArray(answer.ExpectedEntropies))]);
    }

    /// <summary>The weighted mean of the constituents' answers, summed in their order.</summary>
    public static RowAnswers Mean(this ConstituentProbabilities answers, IReadOnlyList<int> multiplicities)
    {
        ProbabilityMean probabilities = new(), entropies = new();
        for (var i = 0; i < answers.Values.Length; i++)
        {
            probabilities.Add(answers.Values[i].AsSpan(), multiplicities[i]);
            entropies.Add(answers.ExpectedEntropies[i].AsSpan(), multiplicities[i]);
        }

        return new RowAnswers(probabilities.ToArray(), entropies.ToArray());
    }
}
