using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text;
using DistributedEnsemble.Runs;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Serving.Answers;
using DistributedEnsemble.Serving.Authorization;
using DistributedEnsemble.Serving.Live;

namespace DistributedEnsemble.Serving.Runs;

/// <summary>Runs over HTTP: what there is, how it goes on, and starting, stopping and resuming.</summary>
internal sealed class RunEndpoints(IGrainFactory grains, LiveRuns live, RunFeeds feeds, RunIndex runs, Admission admission, HttpSettings settings, TimeProvider time)
{
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(15);

    private IScheduler Scheduler => grains.GetGrain<IScheduler>(IScheduler.Key);

    public void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/api/runs", (string? after, string? limit) => RunPage.Of(runs.List(), after, limit, settings.MaxPageSize)).Needs(Access.Inference);
        app.MapGet("/api/runs/{name}", async (string name, CancellationToken cancellation) => JsonAnswer.OfStatus(await live.StatusAsync(name, cancellation))).Needs(Access.Inference);
        app.MapGet("/api/runs/{name}/events", EventsAsync).Needs(Access.Inference).WithMetadata(new EndlessMetadata());
        app.MapGet("/api/runs/{name}/spec", async (string name, CancellationToken cancellation) => JsonAnswer.OfText((await DefinitionAsync(name, cancellation)).Spec)).Needs(Access.Inference);
        app.MapGet("/api/runs/{name}/data", async (string name, CancellationToken cancellation) => JsonAnswer.OfText((await DefinitionAsync(name, cancellation)).Data)).Needs(Access.Inference);
        app.MapPost("/api/runs", (Delegate)SubmitAsync).Needs(Access.Admin);
        app.MapPost("/api/runs/{name}/stop", StopAsync).Needs(Access.Admin);
        app.MapPost("/api/runs/{name}/resume", ResumeAsync).Needs(Access.Admin);
    }

    private async Task<IResult> SubmitAsync(HttpContext context)
    {
        using var lease = admission.Bytes();
        using var body = await admission.ReadAsync(context.Request, lease, context.RequestAborted);
        var spec = Encoding.UTF8.GetString(body.Bytes.Span);
        // It names no paths: the server would read any of its files.
        var run = await Scheduler.SubmitAsync(new Submission(spec), context.RequestAborted);
        context.Response.Headers.Location = $"/api/runs/{run.Name}";
        return JsonAnswer.OfStatus(await grains.GetGrain<ICoordinator>(run.ToString()).GetStatusAsync().WaitAsync(context.RequestAborted), StatusCodes.Status201Created);
    }

    private async Task<IResult> StopAsync(string name, CancellationToken cancellation)
    {
        if (await live.CoordinatorAsync(name, cancellation) is not { } coordinator)
        {
            var status = await live.InactiveAsync(name, cancellation) ?? throw LiveRuns.Unknown(name);
            return status.State is not (RunState.Running or RunState.Queued) ? JsonAnswer.OfStatus(status) : throw new HttpError(
                StatusCodes.Status409Conflict, $"Run \"{name}\" is in training in another process, which alone can stop it.");
        }

        // Whoever leaves meanwhile does not take it back.
        await coordinator.StopAsync().WaitAsync(cancellation);
        return JsonAnswer.OfStatus(await coordinator.GetStatusAsync().WaitAsync(cancellation));
    }

    private async Task<IResult> ResumeAsync(string name, CancellationToken cancellation)
    {
        var run = await live.ActiveAsync(name, cancellation) ?? KeyOf(live.Find(name));
        await Scheduler.ResumeAsync(run, cancellation);
        return JsonAnswer.OfStatus(await grains.GetGrain<ICoordinator>(run.ToString()).GetStatusAsync().WaitAsync(cancellation));
    }

    private async Task<IResult> EventsAsync(HttpContext context, string name, CancellationToken cancellation)
    {
        var watching = admission.Stream();
        context.Response.RegisterForDispose(watching);
        await live.StatusAsync(name, cancellation);
        if (HeadRequests.IsHead(context)) return TypedResults.Text("", "text/event-stream");
        return TypedResults.ServerSentEvents(Events(name, cancellation));
    }

    /// <summary>Each change of the status; a comment now and then, so that nobody takes silence for the end.</summary>
    private async IAsyncEnumerable<SseItem<string>> Events(string name, [EnumeratorCancellation] CancellationToken cancellation)
    {
        string? last = null;
        var (said, isAtRest) = (time.GetTimestamp(), false);
        using var watch = feeds.Watch(name);
        while (!isAtRest)
        {
            if (await watch.SeeAsync(cancellation) is not { } status) yield break;
            isAtRest = status.IsAtRest;
            var json = watch.Json;
            if (json != last || time.GetElapsedTime(said) >= s_silence)
            {
                yield return new SseItem<string>(json, isAtRest ? "end" : "status");
                (last, said) = (json, time.GetTimestamp());
            }

            if (!isAtRest) await Waiting.AnyAsync(s_silence - time.GetElapsedTime(said), time, cancellation, watch.Changed);
        }
    }

    /// <summary>The run's resolved spec and the description of its data, as its record has them.</summary>
    private async Task<RunDefinition> DefinitionAsync(string name, CancellationToken cancellation)
    {
        var run = await live.ActiveAsync(name, cancellation) ?? KeyOf(live.Find(name));
        return await grains.GetGrain<ICoordinator>(run.ToString()).GetDefinitionAsync().WaitAsync(cancellation);
    }

    private static RunKey KeyOf(RunStatus status) => new(status.Run, status.Id);
}
