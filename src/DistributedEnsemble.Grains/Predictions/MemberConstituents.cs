using System.Collections.Immutable;
using DistributedEnsemble.Members;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Grains.Predictions;

/// <summary>The constituents of a run, predicted by the member grains that hold them: each is asked for its own, all at once.</summary>
internal sealed class MemberConstituents(IGrainFactory grains, RunKey run) : IConstituents
{
    public ValueTask<ConstituentAnswers> PredictAsync(
        ImmutableArray<WeightFile> constituents, int monteCarloSamples, RowRange rows) =>
        AskAsync(new ConstituentQuery(constituents, monteCarloSamples, [], rows.Part, rows.Start, rows.Count));

    /// <returns>The answers in the order of the query, whatever the order of arrival.</returns>
    private async ValueTask<ConstituentAnswers> AskAsync(ConstituentQuery query)
    {
        var members = query.Constituents.Select((file, place) => (file, place)).GroupBy(entry => entry.file.Member).ToList();
        var answers = await Task.WhenAll(members.Select(member =>
            grains.GetGrain<IMember>(MemberKey.Of(run, member.Key))
                .PredictAsync(query with { Constituents = [.. member.Select(entry => entry.file)] })));
        var values = new ImmutableArray<double>[query.Constituents.Length];
        foreach (var (member, answer) in members.Zip(answers))
        {
            foreach (var ((_, place), i) in member.Select((entry, i) => (entry, i))) values[place] = answer.Values[i];
        }

        return new ConstituentAnswers([.. values]);
    }
}
