using System.Collections.Immutable;
using DistributedEnsemble.Members;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Grains.Predictions;

/// <summary>
/// The constituents of a run, predicted by the member grains that hold them: each is asked for its own, all at once. A member whose
/// answers make no single message is asked in several calls: for some of its constituents each, or for some rows of one.
/// </summary>
/// <param name="width">Numbers of an answer to one row.</param>
internal sealed class MemberConstituents(IGrainFactory grains, RunKey run, int width, CancellationToken cancellation = default) : IConstituents
{
    /// <returns>The answers in the order of the constituents, whatever the order of arrival.</returns>
    public async ValueTask<ConstituentAnswers> PredictAsync(
        ImmutableArray<WeightFile> constituents, int monteCarloSamples, RowRange rows)
    {
        var query = new ConstituentQuery([], monteCarloSamples, [], rows.Part, rows.Start, rows.Count);
        var values = new ImmutableArray<double>[constituents.Length];
        await Task.WhenAll(constituents.Select((file, place) => (File: file, Place: place))
            .GroupBy(placed => placed.File.Member).SelectMany(member => member.Chunk(AnswerSizes.Constituents(rows.Count, width))).Select(async part =>
            {
                var answers = await AskAsync(query with { Constituents = [.. part.Select(placed => placed.File)] });
                foreach (var (placed, i) in part.Select((placed, i) => (placed, i))) values[placed.Place] = answers[i];
            }));
        return new ConstituentAnswers([.. values]);
    }

    private async Task<ImmutableArray<ImmutableArray<double>>> AskAsync(ConstituentQuery query)
    {
        var member = grains.GetGrain<IMember>(MemberKey.Of(run, query.Constituents[0].Member));
        var most = AnswerSizes.Rows(width);
        if (query.Count <= most) return (await member.PredictAsync(query, cancellation)).Values;
        var answer = new List<double>(query.Count * width);
        for (var row = 0; row < query.Count; row += most)
        {
            var part = await member.PredictAsync(query with { Skipped = row, Answered = Math.Min(most, query.Count - row) }, cancellation);
            // One whose file cannot be read has no answers.
            answer.AddRange(part.Values[0]);
        }

        return [[.. answer]];
    }
}
