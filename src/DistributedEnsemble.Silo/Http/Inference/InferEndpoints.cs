using DistributedEnsemble.Messages;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Silo.Http.Authorization;
using DistributedEnsemble.Silo.Http.Repository;
using DistributedEnsemble.Silo.Http.Telemetry;

namespace DistributedEnsemble.Silo.Http.Inference;

/// <summary>Predictions: the Open Inference Protocol v2, which clients of Triton and KServe speak.</summary>
internal sealed class InferEndpoints(ModelRepository repository, Admission admission, ModelStatistics statistics, HttpSettings settings, TimeProvider time)
{
    public void Map(IEndpointRouteBuilder app)
    {
        foreach (var path in new[] { ModelPath.Plain, ModelPath.Versioned })
            app.MapPost($"{path}/infer", (HttpContext context, string name, string? version) => InferMeasuredAsync(context, name, version)).Needs(Access.Inference);
    }

    private async Task InferMeasuredAsync(HttpContext context, string name, string? version)
    {
        var measured = new MeasuredRequest(time);
        var outcome = "ok";
        try
        {
            await InferAsync(context, name, version, measured);
        }
        catch (Exception exception)
        {
            outcome = HttpFailure.Of(context, exception, settings.RequestTimeoutSeconds).Outcome;
            throw;
        }
        finally
        {
            RequestMeasurements.Duration.Record(measured.Elapsed.TotalSeconds, new KeyValuePair<string, object?>("outcome", outcome));
            statistics.Add(measured, outcome == "ok");
        }
    }

    private async Task InferAsync(HttpContext context, string name, string? version, MeasuredRequest measured)
    {
        using var admitted = admission.Request();
        ModelPath.CheckVersion(name, version);
        var served = await repository.GetAsync(name);
        measured.Run = served.Run;

        // Held until the answer is sent.
        using var lease = admission.Bytes();
        InferRequest request;
        using (var body = await admission.ReadAsync(context.Request, lease, context.RequestAborted))
        {
            measured.HasArrived();
            request = InferRequestReader.Read(served.Model, settings, body.Bytes, JsonLength(context.Request), lease.Add);
        }

        var response = new InferResponse(name, served.Model, request);
        var models = PredictionMemory.Of(served.Model, request);
        CheckSize(response, request, models);
        lease.Hold(request.RowBytes + response.MostBytes + models.Bytes);
        measured.IsRead(request.RowCount);
        var prediction = await PredictAsync(served.Aggregator, request, context.RequestAborted);
        measured.IsPredicted();
        lease.Hold(request.RowBytes + response.MostBytes);
        await response.WriteAsync(context, prediction, context.RequestAborted);
        measured.IsWritten();
    }

    private void CheckSize(InferResponse response, InferRequest request, PredictionMemory models)
    {
        // Beside the rows, an answer that fills all memory alone would never be computed, however often it is asked for.
        var most = Math.Min(settings.MaxResponseBytes, settings.MaxBytesInFlight - request.RowBytes);
        if (response.MostBytes > most)
        {
            throw HttpError.TooLarge(
                $"The answer to {request.RowCount} {Plural.Of(request.RowCount, "row")} has up to {response.MostBytes} bytes: one answer has up to {most}. Ask for fewer rows or outputs.");
        }

        if (models.Bytes > settings.MaxBytesInFlight - request.RowBytes - response.MostBytes)
        {
            throw HttpError.TooLarge(
                $"The answers of {models.Count} {Plural.Of(models.Count, "model")} to {request.RowCount} {Plural.Of(request.RowCount, "row")} take {models.Bytes} bytes of memory, beside {request.RowBytes + response.MostBytes} of the request and its answer: there are {settings.MaxBytesInFlight} for all. Ask for fewer rows or members.");
        }
    }

    private static async Task<Prediction> PredictAsync(IAggregator aggregator, InferRequest request, CancellationToken cancellation)
    {
        var question = new PredictionRequest(request.Rows, request.Parameters.Choice, request.Parameters.Calibrated)
        {
            Columns = request.Columns,
            PerMember = request.Outputs.Any(output => output.Tensor.IsPerMember),
            Coverage = request.Parameters.Coverage,
        };
        if (request.Parameters.Timeout is not { } timeout) return await aggregator.PredictAsync(question, cancellation);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(timeout);
        try
        {
            return await aggregator.PredictAsync(question, patience.Token);
        }
        catch (Exception) when (patience.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw HttpError.TimedOut($"There was no answer within the request's timeout of {timeout.TotalMicroseconds} microseconds.");
        }
    }

    private static int? JsonLength(HttpRequest request)
    {
        if (!request.Headers.TryGetValue(InferProtocol.JsonLength, out var header)) return null;
        return int.TryParse(header, out var length) ? length : throw HttpError.BadRequest($"{InferProtocol.JsonLength} is {OneLine.Quoted(header)}: it must be a whole number of bytes.");
    }
}
