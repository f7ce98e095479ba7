using System.Collections.Immutable;
using DistributedEnsemble.Predictions;

namespace DistributedEnsemble.Grains.Predictions;

/// <summary>A question about clients' rows to another silo, in as many calls as its answers need messages.</summary>
internal static class DividedQuery
{
    /// <param name="inputs">Numbers of a row.</param>
    /// <param name="width">Numbers of an answer to one row.</param>
    /// <param name="ask">Asks a part; all of them at once.</param>
    public static async Task<ConstituentAnswers> AskAsync(
        ConstituentQuery query, int inputs, int width, Func<ConstituentQuery, Task<ConstituentAnswers>> ask)
    {
        var count = query.Rows.Sum(rows => rows.Length) / inputs;
        var (together, most) = (AnswerSizes.Constituents(count, width), AnswerSizes.Rows(width));
        if (query.Constituents.Length <= together && count <= most) return await ask(query);
        ImmutableArray<float>[] pieces = count <= most ? [] : [.. query.Rows.SelectMany(rows => rows).Chunk(most * inputs).Select(rows => rows.ToImmutableArray())];
        ImmutableArray<ImmutableArray<float>>[] rowParts = pieces.Length == 0 ? [query.Rows] : [.. pieces.Select(piece => ImmutableArray.Create(piece))];
        var answers = await Task.WhenAll(query.Constituents.Chunk(together).Select(async constituents =>
        {
            var parts = await Task.WhenAll(rowParts.Select(rows => ask(query with { Constituents = [.. constituents], Rows = rows })));
            return (parts[0].Silo, Values: Enumerable.Range(0, constituents.Length).Select(i => Joined([.. parts.Select(part => part.Values[i])])));
        }));
        return new ConstituentAnswers([.. answers.SelectMany(answer => answer.Values)]) { Silo = answers[0].Silo };
    }

    /// <summary>One whose file could not be read for some rows has no answers.</summary>
    private static ImmutableArray<double> Joined(ImmutableArray<double>[] parts) =>
        parts.Length == 1 ? parts[0] : parts.Any(part => part.IsEmpty) ? [] : [.. parts.SelectMany(part => part)];
}
