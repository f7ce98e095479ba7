using System.Collections.Immutable;
using System.Runtime.InteropServices;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Telemetry;
using DistributedEnsemble.Members;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Predictions;
using Microsoft.Extensions.Logging;

namespace DistributedEnsemble.Grains.Predictions;

/// <summary>
/// Asks the chosen constituents of one run: from this silo's cache where they fit, else each member's silo for its share, all of
/// a silo in one call. Members that do not answer in time are left out.
/// </summary>
internal sealed class EnsemblePredictor(
    RunKey run, EnsembleTrainingOptions options, ConstituentPredictor here, IGrainFactory grains, TimeProvider time, ILogger log)
{
    private readonly MemberLocations _locations = new(time);

    /// <exception cref="OverloadedException">Too much waits for this silo's threads.</exception>
    /// <exception cref="QuorumException">Too few members answered in time.</exception>
    public async Task<IBatchAnswer> PredictAsync(RunModel model, RequestBatch batch, CancellationToken cancellation)
    {
        using var trace = batch.StartTrace("predict batch");
        trace?.SetTag("ensemble.run", run.Name).SetTag("ensemble.requests", batch.Requests.Count);
        var constituents = batch.Selection.Constituents;
        var query = new ConstituentQuery([], batch.Selection.MonteCarloSamples, batch.Rows, null, 0, 0);
        var values = new ImmutableArray<double>[constituents.Length];
        await Task.WhenAll([.. Shares(model, constituents).Select(async share =>
        {
            if (await AskAsync(share, query, cancellation) is not { } answer) return;
            foreach (var (place, i) in share.Places.Select((placed, i) => (placed.Place, i))) values[place] = answer.Values[i];
        })]);

        var answers = new BatchAnswer(model, batch.Selection, new ConstituentAnswers(ImmutableCollectionsMarshal.AsImmutableArray(values)));
        var asked = constituents.Select(file => file.Member).Distinct().Count();
        Measurements.MembersUsed.Record(answers.Members);
        if (answers.Members < asked) Measurements.MembersLeftOut.Add(asked - answers.Members);
        var needed = Math.Max(1, (int)Math.Ceiling(options.Prediction.Quorum * asked));
        return answers.Members >= needed ? answers : throw new QuorumException(
            $"{answers.Members} of {asked} members of run \"{run.Name}\" answered within {options.Prediction.MemberTimeout.TotalSeconds} s, "
            + $"and {needed} are needed: ask again in a moment.");
    }

    /// <summary>Who answers for which constituents. A member that has just failed to answer is in nobody's share.</summary>
    private IEnumerable<Share> Shares(RunModel model, ImmutableArray<WeightFile> constituents)
    {
        var places = constituents.Select((file, place) => new Placed(file, place));
        var bytes = constituents.Sum(file => ConstituentCache.Bytes(model.Networks.Of(file.Member).Layout));
        return bytes <= options.Prediction.CacheBytes
            ? [new Share(here.Silo, [.. places])]
            : places.Where(placed => !_locations.IsResting(placed.File.Member))
                .GroupBy(placed => (Home: _locations.Of(placed.File.Member), Alone: _locations.Of(placed.File.Member) is null ? placed.File.Member : -1))
                .Select(share => new Share(share.Key.Home, [.. share]));
    }

    /// <returns>Null if there was no answer in time.</returns>
    /// <exception cref="OverloadedException">
    /// Too much waits for the threads there: a silo that refuses is asked again by the client, and is no member to do without.
    /// </exception>
    private async Task<ConstituentAnswers?> AskAsync(Share share, ConstituentQuery query, CancellationToken cancellation)
    {
        query = query with { Constituents = [.. share.Places.Select(placed => placed.File)] };
        if (share.Silo == here.Silo) return await here.ServeAsync(run, query, cancellation);
        try
        {
            var member = grains.GetGrain<IMember>(MemberKey.Of(run, query.Constituents[0].Member));
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            patience.CancelAfter(options.Prediction.MemberTimeout);
            var answer = await member.PredictAsync(query, patience.Token).WaitAsync(options.Prediction.MemberTimeout, time, cancellation);
            foreach (var one in share.Members) _locations.Answered(one, answer.Silo);
            return answer;
        }
        catch (Exception exception) when (exception is not OverloadedException && !cancellation.IsCancellationRequested)
        {
            log.MembersLeftOut(exception, run, string.Join(", ", share.Members));
            foreach (var member in share.Members) _locations.Failed(member);
            return null;
        }
    }

    private readonly record struct Placed(WeightFile File, int Place);

    /// <param name="Silo">Null if only the members' grains know.</param>
    private sealed record Share(string? Silo, ImmutableArray<Placed> Places)
    {
        public IEnumerable<int> Members => Places.Select(placed => placed.File.Member).Distinct();
    }
}
