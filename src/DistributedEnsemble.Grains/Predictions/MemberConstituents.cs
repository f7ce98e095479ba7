using System.Collections.Immutable;
using DistributedEnsemble.Members;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Grains.Predictions;

/// <summary>
/// The constituents of a run, predicted by the member grains that hold them: each is asked for its own, all at once. A member with
/// so many constituents that their answers make no single message is asked in several calls.
/// </summary>
/// <param name="width">Numbers of an answer to one row.</param>
internal sealed class MemberConstituents(IGrainFactory grains, RunKey run, int width, CancellationToken cancellation = default) : IConstituents
{
    /// <summary>Of the answers of a call, if one constituent's are not more: far below what Orleans sends in one message (100 MB), as several members answer a silo at once.</summary>
    private const long MostBytes = 8L << 20;

    /// <returns>The answers in the order of the constituents, whatever the order of arrival.</returns>
    public async ValueTask<ConstituentAnswers> PredictAsync(
        ImmutableArray<WeightFile> constituents, int monteCarloSamples, RowRange rows)
    {
        var query = new ConstituentQuery([], monteCarloSamples, [], rows.Part, rows.Start, rows.Count);
        var together = (int)Math.Clamp(MostBytes / Math.Max(1, (long)rows.Count * width * sizeof(double)), 1, Math.Max(1, constituents.Length));
        var values = new ImmutableArray<double>[constituents.Length];
        await Task.WhenAll(constituents.Select((file, place) => (File: file, Place: place))
            .GroupBy(placed => placed.File.Member).SelectMany(member => member.Chunk(together)).Select(async part =>
            {
                var answer = await grains.GetGrain<IMember>(MemberKey.Of(run, part[0].File.Member))
                    .PredictAsync(query with { Constituents = [.. part.Select(placed => placed.File)] }, cancellation);
                foreach (var (placed, i) in part.Select((placed, i) => (placed, i))) values[placed.Place] = answer.Values[i];
            }));
        return new ConstituentAnswers([.. values]);
    }
}
