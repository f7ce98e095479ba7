using DistributedEnsemble.Messages;
using DistributedEnsemble.Serving.Authorization;
using DistributedEnsemble.Serving.Models;
using DistributedEnsemble.Serving.Telemetry;

namespace DistributedEnsemble.Serving.Inference;

/// <summary>Predictions over HTTP: the Open Inference Protocol v2, which clients of Triton and KServe speak.</summary>
internal sealed class InferEndpoints(InferenceService inference, ModelRepository repository, Admission admission, HttpSettings settings)
{
    public void Map(IEndpointRouteBuilder app)
    {
        foreach (var path in new[] { ModelPath.Plain, ModelPath.Versioned })
        {
            app.MapPost($"{path}/infer", (HttpContext context, string name, string? version) =>
                inference.MeasureAsync(context, measured => InferAsync(context, name, version, measured))).Needs(Access.Inference);
        }
    }

    private async Task InferAsync(HttpContext context, string name, string? version, MeasuredRequest measured)
    {
        ModelPath.CheckVersion(name, version);
        var served = await repository.GetAsync(name, context.RequestAborted);

        // Held until the answer is sent.
        using var lease = admission.Bytes();
        using var body = await admission.ReadAsync(context.Request, lease, context.RequestAborted);
        measured.Run = served.Run;
        // Whoever sends slowly takes no place from others meanwhile.
        using var admitted = admission.Request();
        measured.HasArrived();
        var request = InferRequestReader.Read(served.Model, settings, body.Bytes, JsonLength(context.Request), lease.Add);
        body.Dispose();

        var response = new InferResponse(name, served.Model, request);
        var prediction = await inference.PredictAsync(served, request, response.MostBytes, otherBytes: 0, lease, measured, context.RequestAborted);
        await response.WriteAsync(context, prediction, context.RequestAborted);
        measured.IsWritten();
    }

    private static int? JsonLength(HttpRequest request)
    {
        if (!request.Headers.TryGetValue(InferProtocol.JsonLength, out var header)) return null;
        return int.TryParse(header, out var length) ? length : throw HttpError.BadRequest($"{InferProtocol.JsonLength} is {OneLine.Quoted(header)}: it must be a whole number of bytes.");
    }
}
