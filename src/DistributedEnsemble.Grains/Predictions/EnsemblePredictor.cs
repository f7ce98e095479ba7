using System.Collections.Immutable;
using System.Runtime.InteropServices;
using DistributedEnsemble.Grains.Hosting;
using DistributedEnsemble.Grains.Telemetry;
using DistributedEnsemble.Members;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Training.Predictions;
using DistributedEnsemble.Training.Predictions.EarlyExit;
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
        if (batch.Selection.Exit is not null) return await PredictInTurnsAsync(model, batch, cancellation);
        var values = await AskAsync(model, batch.Selection, [.. Enumerable.Range(0, batch.Selection.Constituents.Length)], batch.Rows, cancellation);
        var answers = new BatchAnswer(model, batch.Selection, new ConstituentAnswers(ImmutableCollectionsMarshal.AsImmutableArray(values)));
        Measurements.MembersUsed.Record(answers.Members);
        Check(answers.Members, batch.Selection.Constituents.Select(file => file.Member).Distinct().Count());
        return answers;
    }

    /// <summary>Asks one member after the other, each for the rows that are not content yet; on one thread where all are here.</summary>
    private async Task<IBatchAnswer> PredictInTurnsAsync(RunModel model, RequestBatch batch, CancellationToken cancellation)
    {
        var (selection, width) = (batch.Selection, model.Width);
        var exits = new RowExits(model.Task.FittedBy(selection.Fit), selection, batch.Requests.Sum(request => request.Count));
        if (AreHere(model, selection.Constituents)) await here.ServeInTurnsAsync(run, selection, exits, rows => Some(batch, rows, width), cancellation);
        while (!exits.Rows.IsEmpty)
        {
            var values = await AskAsync(model, selection, exits.Places, Some(batch, exits.Rows, width), cancellation);
            exits.Add(exits.Places.All(place => !values[place].IsDefaultOrEmpty) ? [.. exits.Places.Select(place => values[place])] : null);
        }

        foreach (var members in exits.Members) Measurements.MembersUsed.Record(members);
        Check(exits.Turns.Answered, exits.Turns.Asked);
        return new BatchAnswer(model, selection, exits);
    }

    /// <summary>Some rows of a batch, by their places in it.</summary>
    private static ImmutableArray<ImmutableArray<float>> Some(RequestBatch batch, ImmutableArray<int> rows, int width)
    {
        if (rows.Length == batch.Requests.Sum(request => request.Count)) return batch.Rows;
        var some = ImmutableArray.CreateBuilder<float>(rows.Length * width);
        var (request, first) = (0, 0);
        foreach (var row in rows)
        {
            for (; row >= first + batch.Requests[request].Count; request++) first += batch.Requests[request].Count;
            some.AddRange(batch.Requests[request].Prediction.Rows.AsSpan((row - first) * width, width));
        }

        return [some.MoveToImmutable()];
    }

    /// <exception cref="QuorumException">Too few of the members that were asked have answered.</exception>
    private void Check(int answered, int asked)
    {
        if (answered < asked) Measurements.MembersLeftOut.Add(asked - answered);
        var needed = Math.Max(1, (int)Math.Ceiling(options.Prediction.Quorum * asked));
        if (answered >= needed) return;
        throw new QuorumException(
            $"{answered} of {asked} members of run \"{run.Name}\" answered within {options.Prediction.MemberTimeout.TotalSeconds} s, "
            + $"and {needed} are needed: ask again in a moment.");
    }

    /// <returns>Of the constituents at some places, what they answer; default for each other one, and where there was no answer.</returns>
    private async Task<ImmutableArray<double>[]> AskAsync(
        RunModel model, ConstituentSelection selection, ImmutableArray<int> places, ImmutableArray<ImmutableArray<float>> rows, CancellationToken cancellation)
    {
        var query = new ConstituentQuery([], selection.MonteCarloSamples, rows, null, 0, 0);
        var values = new ImmutableArray<double>[selection.Constituents.Length];
        await Task.WhenAll([.. Shares(model, selection.Constituents, places).Select(async share =>
        {
            if (await AskAsync(share, query, model, cancellation) is not { } answer) return;
            foreach (var (place, i) in share.Places.Select((placed, i) => (placed.Place, i))) values[place] = answer.Values[i];
        })]);
        return values;
    }

    /// <summary>Who answers for which of the constituents. A member that has just failed to answer is in nobody's share.</summary>
    private IEnumerable<Share> Shares(RunModel model, ImmutableArray<WeightFile> constituents, ImmutableArray<int> asked)
    {
        var places = asked.Select(place => new Placed(constituents[place], place));
        return AreHere(model, constituents)
            ? [new Share(here.Silo, [.. places])]
            : places.Where(placed => !_locations.IsResting(placed.File.Member))
                .GroupBy(placed => (Home: _locations.Of(placed.File.Member), Alone: _locations.Of(placed.File.Member) is null ? placed.File.Member : -1))
                .Select(share => new Share(share.Key.Home, [.. share]));
    }

    /// <summary>Whether this silo's cache holds all of them.</summary>
    private bool AreHere(RunModel model, ImmutableArray<WeightFile> constituents) =>
        constituents.Sum(file => ConstituentCache.Bytes(model.Networks.Of(file.Member).Layout)) <= options.Prediction.CacheBytes;

    /// <returns>Null if there was no answer in time.</returns>
    /// <exception cref="OverloadedException">
    /// Too much waits for the threads there: a silo that refuses is asked again by the client, and is no member to do without.
    /// </exception>
    private async Task<ConstituentAnswers?> AskAsync(Share share, ConstituentQuery query, RunModel model, CancellationToken cancellation)
    {
        query = query with { Constituents = [.. share.Places.Select(placed => placed.File)] };
        if (share.Silo == here.Silo) return await here.ServeAsync(run, query, cancellation);
        try
        {
            var member = grains.GetGrain<IMember>(MemberKey.Of(run, query.Constituents[0].Member));
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            patience.CancelAfter(options.Prediction.MemberTimeout);
            var asking = DividedQuery.AskAsync(query, model.Width, model.Task.Width, part => member.PredictAsync(part, patience.Token));
            var answer = await asking.WaitAsync(options.Prediction.MemberTimeout, time, cancellation);
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
