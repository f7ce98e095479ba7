using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Serving.Authorization;
using DistributedEnsemble.Serving.Metrics;
using DistributedEnsemble.Serving.Runs;
using DistributedEnsemble.Training.Files;

namespace DistributedEnsemble.Serving.Live;

/// <summary>
/// What the live page listens to, as server-sent events: first all that is known, then what changes, when it does. Who was cut off begins
/// again with all of it.
/// </summary>
internal sealed class LiveEndpoints(
    LiveRuns live, RunFeeds feeds, IGrainFactory grains, RunIndex runs, MetricHistory history, RunStorage storage, Admission admission, ILogger log, TimeProvider time)
{
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(15), s_betweenScores = TimeSpan.FromSeconds(2);

    /// <summary>In one event: there may be ten thousand.</summary>
    private const int MostRuns = 200;

    private readonly ScoreHistory _scores = new();

    public void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/api/live", (HttpContext context, CancellationToken cancellation) => Stream(context, ListAsync(cancellation)))
            .Needs(Access.Inference).WithMetadata(new EndlessMetadata());
        app.MapGet("/api/runs/{name}/live", async (HttpContext context, string name, CancellationToken cancellation) =>
        {
            await live.StatusAsync(name, cancellation);
            return Stream(context, RunAsync(name, cancellation));
        }).Needs(Access.Inference).WithMetadata(new EndlessMetadata());
    }

    private IResult Stream(HttpContext context, IAsyncEnumerable<SseItem<string>> events)
    {
        if (HeadRequests.IsHead(context)) return TypedResults.Text("", "text/event-stream");
        context.Response.RegisterForDispose(admission.Stream());
        return TypedResults.ServerSentEvents(events);
    }

    /// <summary>All runs, each in few words.</summary>
    internal async IAsyncEnumerable<SseItem<string>> ListAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var (known, isFirst, said) = (new Dictionary<string, RunStatus>(), true, time.GetTimestamp());
        using var changes = new IndexChanges(runs);
        while (true)
        {
            changes.Forget();
            var all = runs.List().ToDictionary(run => run.Run);
            var changed = all.Values.Where(run => !ReferenceEquals(known.GetValueOrDefault(run.Run), run)).Select(RunSummary.Of).ToArray();
            var gone = known.Keys.Where(name => !all.ContainsKey(name)).ToArray();
            if (isFirst || changed.Length > 0 || gone.Length > 0 || time.GetElapsedTime(said) >= s_silence)
            {
                foreach (var some in changed.Chunk(MostRuns).DefaultIfEmpty([]))
                {
                    yield return new SseItem<string>(JsonSerializer.Serialize(new { changed = some, gone }, RunStatusJson.Options), isFirst ? "all" : "delta");
                    (said, isFirst, gone) = (time.GetTimestamp(), false, []);
                }
            }

            known = all;
            await Waiting.AnyAsync(s_silence - time.GetElapsedTime(said), time, cancellation, changes.Next);
        }
    }

    private async IAsyncEnumerable<SseItem<string>> RunAsync(string name, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var deltas = await Task.Run(() => new RunDeltas(history, new TimelineReader(storage, name), SpecWords.Of(storage, name)), cancellation);
        var (isFirst, said, scored) = (true, time.GetTimestamp(), (long?)null);
        var (measured, scoring, unmeasured) = ("", (Task<(string?, string?)>?)null, (string?)null);
        using var watch = feeds.Watch(name);
        while (true)
        {
            if (await watch.SeeAsync(cancellation) is not { } status)
            {
                yield return new SseItem<string>("{}", "gone");
                yield break;
            }

            var delta = await Task.Run(() => deltas.Next(status), cancellation);
            if (delta is not null || isFirst || time.GetElapsedTime(said) >= s_silence)
            {
                yield return new SseItem<string>((delta ?? []).ToJsonString(RunStatusJson.Options), isFirst ? "all" : "delta");
                (said, isFirst) = (time.GetTimestamp(), false);
            }

            // Scores are computed beside the training, never while nobody looks.
            if (scoring is { IsCompleted: true })
            {
                (var scores, unmeasured) = await scoring;
                scoring = null;
                if (scores is not null) yield return new SseItem<string>(scores, "scores");
            }

            var models = ModelsOf(status);
            var rest = scored is { } at && !status.HasEnded ? s_betweenScores - time.GetElapsedTime(at) : TimeSpan.Zero;
            if (scoring is null && models != measured && rest <= TimeSpan.Zero) (scoring, scored, measured) = (ScoreAsync(status, models, cancellation), time.GetTimestamp(), models);
            if (status.HasEnded && scoring is null)
            {
                yield return new SseItem<string>(JsonSerializer.Serialize(new { unmeasured }, RunStatusJson.Options), "end");
                yield break;
            }

            var silence = s_silence - time.GetElapsedTime(said);
            await Waiting.AnyAsync(scoring is null && models != measured && rest < silence ? rest : silence, time, cancellation, [watch.Changed, .. scoring is null ? [] : new Task[] { scoring }]);
        }
    }

    /// <returns>The scores as JSON, or why there are none.</returns>
    private async Task<(string? Scores, string? Reason)> ScoreAsync(RunStatus status, string models, CancellationToken cancellation)
    {
        try
        {
            var run = new RunKey(status.Run, status.Id).ToString();
            if (await grains.GetGrain<IAggregator>(run).ScoreAsync(cancellation) is { } scores)
                return (Json(scores, _scores.Add(run, new ScorePoint(models, status.Steps, scores.Sizes[^1].Members, scores.Sizes[^1].Measures))), null);
            return (null, status.Snapshots.IsEmpty ? "No member left weights to measure." : "This run kept no validation rows to measure on.");
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return (null, null);
        }
        catch (Exception exception)
        {
            // The run's data may not be here; the page does without, and says so.
            log.ScoringFailed(exception, status.Run);
            return (null, "The ensemble could not be measured; the server's log says why.");
        }
    }

    private static string Json(EnsembleScores scores, ScorePoint[] history) => new JsonObject
    {
        ["rows"] = scores.Rows,
        ["outOfFold"] = scores.OutOfFold,
        ["sizes"] = new JsonArray([.. scores.Sizes.Select(size => (JsonNode)new JsonObject
        {
            ["members"] = size.Members, ["measures"] = JsonSerializer.SerializeToNode(size.Measures, RunStatusJson.Options),
        })]),
        ["history"] = new JsonArray([.. history.Select(point => (JsonNode)new JsonObject
        {
            ["steps"] = point.Steps, ["members"] = point.Members, ["measures"] = JsonSerializer.SerializeToNode(point.Measures, RunStatusJson.Options),
        })]),
    }.ToJsonString(RunStatusJson.Options);

    private static string ModelsOf(RunStatus status) => $"{status.Snapshots.Length} {status.Members.Count(member => member.State == MemberState.Failed)}";
}

/// <summary>A run in few words.</summary>
internal sealed record RunSummary(
    string Run, RunState State, string? Reason, long Steps, long StepsTotal, double TrainSeconds, int Members, int Training, double StepsPerSecond, double? Loss)
{
    public static RunSummary Of(RunStatus run) => new(
        run.Run, run.State, run.Reason, run.Steps, run.StepsTotal, run.TrainSeconds, run.Members.Length,
        run.Members.Count(member => member.State == MemberState.Training), Math.Round(run.Members.Sum(member => member.StepsPerSecond), 1),
        run.Members.Select(member => member.Loss).OfType<double>().Where(double.IsFinite).DefaultIfEmpty(double.NaN).Average());
}

internal static partial class LiveLog
{
    [LoggerMessage(110, LogLevel.Warning, "Run {Run} could not be measured on its validation rows.")]
    public static partial void ScoringFailed(this ILogger log, Exception exception, string run);
}
