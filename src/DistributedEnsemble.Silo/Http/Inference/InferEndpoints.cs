using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace DistributedEnsemble.Silo.Http;

/// <summary>The Open Inference Protocol v2: what clients of Triton and KServe speak.</summary>
internal sealed class InferEndpoints(ModelRepository repository, Admission admission, HttpSettings settings, TimeProvider time)
{
    private static readonly string[] s_extensions = ["binary_tensor_data", "model_repository", "model_configuration"];
    private static readonly string s_version = typeof(InferEndpoints).Assembly.GetName().Version!.ToString(3);

    public void Map(IEndpointRouteBuilder app)
    {
        app.MapGet("/v2", () => new { name = "DistributedEnsemble", version = s_version, extensions = s_extensions }).Needs(Access.Inference);
        foreach (var path in new[] { "/v2/models/{name}", "/v2/models/{name}/versions/{version}" })
        {
            app.MapGet(path, (string name, string? version) => DescribeAsync(name, version)).Needs(Access.Inference);
            app.MapGet($"{path}/ready", (string name, string? version) => Ready(name, version)).Needs(Access.Inference);
            app.MapGet($"{path}/config", (string name, string? version) => ConfigureAsync(name, version)).Needs(Access.Inference);
            app.MapPost($"{path}/infer", (HttpContext context, string name, string? version) => InferMeasuredAsync(context, name, version)).Needs(Access.Inference);
        }
    }

    private async Task<Ok<object>> DescribeAsync(string name, string? version)
    {
        CheckVersion(name, version);
        return TypedResults.Ok(ModelMetadata.Of(name, (await repository.GetAsync(name)).Model));
    }

    private async Task<Ok<object>> ConfigureAsync(string name, string? version)
    {
        CheckVersion(name, version);
        return TypedResults.Ok(ModelMetadata.Configuration(name, (await repository.GetAsync(name)).Model, settings.MaxRows));
    }

    private JsonHttpResult<object> Ready(string name, string? version)
    {
        CheckVersion(name, version);
        var state = repository.Find(name);
        return state.IsReady
            ? TypedResults.Json<object>(new { name, ready = true })
            : throw HttpError.Unavailable($"Model \"{name}\" is not ready: {state.Reason}.");
    }

    private async Task InferMeasuredAsync(HttpContext context, string name, string? version)
    {
        var begun = time.GetTimestamp();
        var outcome = "ok";
        try
        {
            await InferAsync(context, name, version);
        }
        catch (Exception exception)
        {
            outcome = RequestMeasurements.OutcomeOf(context, exception);
            throw;
        }
        finally
        {
            RequestMeasurements.Duration.Record(time.GetElapsedTime(begun).TotalSeconds, new KeyValuePair<string, object?>("outcome", outcome));
        }
    }

    private async Task InferAsync(HttpContext context, string name, string? version)
    {
        using var admitted = admission.Request();
        CheckVersion(name, version);
        var (aggregator, model) = await repository.GetAsync(name);
        if (context.Request.Headers.ContentEncoding.Count > 0)
            throw HttpError.BadRequest($"The body is compressed ({OneLine.Excerpt(context.Request.Headers.ContentEncoding.ToString())}): send it as it is.");

        InferRequest request;
        using (var body = await admission.ReadAsync(context.Request, context.RequestAborted))
            request = InferRequestReader.Read(model, settings, body.Bytes, JsonLength(context.Request));

        var response = InferResponse.Of(name, model, request, await PredictAsync(aggregator, request, context.RequestAborted));
        context.Response.ContentType = response.ContentType;
        context.Response.ContentLength = response.Body.Length;
        if (response.JsonLength is { } length) context.Response.Headers[InferProtocol.JsonLength] = $"{length}";
        await context.Response.BodyWriter.WriteAsync(response.Body, context.RequestAborted);
    }

    private static async Task<Prediction> PredictAsync(IAggregator aggregator, InferRequest request, CancellationToken cancellation)
    {
        var question = new PredictionRequest(request.Rows, request.Parameters.Choice, request.Parameters.Calibrated)
        {
            PerMember = request.Outputs.Any(output => output.Tensor == OutputTensor.MemberProbabilities),
        };
        if (request.Parameters.Timeout is not { } timeout) return await aggregator.PredictAsync(question, cancellation);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(timeout);
        try
        {
            return await aggregator.PredictAsync(question, patience.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw HttpError.Unavailable($"There was no answer within the request's timeout of {timeout.TotalMicroseconds} microseconds.");
        }
    }

    private static int? JsonLength(HttpRequest request)
    {
        if (!request.Headers.TryGetValue(InferProtocol.JsonLength, out var header)) return null;
        return int.TryParse(header, out var length) ? length : throw HttpError.BadRequest($"{InferProtocol.JsonLength} is {OneLine.Quoted(header)}: it must be a whole number of bytes.");
    }

    private static void CheckVersion(string name, string? version)
    {
        if (version is not (null or ModelMetadata.Version))
            throw HttpError.NotFound($"Model {OneLine.Quoted(name)} has no version {OneLine.Quoted(version)}: a run has the version {ModelMetadata.Version} alone.");
    }
}
