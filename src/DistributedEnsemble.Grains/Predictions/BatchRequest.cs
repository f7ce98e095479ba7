using System.Collections.Immutable;
using System.Diagnostics;
using DistributedEnsemble.Grains.Telemetry;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Scheduling;
using DistributedEnsemble.Training.Predictions;

namespace DistributedEnsemble.Grains.Predictions;

/// <summary>One client's rows in the queue.</summary>
/// <param name="Selection">The models to average: only requests for the same ones are computed together.</param>
/// <param name="Count">Rows.</param>
internal sealed record BatchRequest(ConstituentSelection Selection, PredictionRequest Prediction, int Count)
{
    /// <summary>The client's trace, which the batch goes on with.</summary>
    public ActivityContext Trace { get; } = Activity.Current?.Context ?? default;
}

/// <summary>Requests that are computed together.</summary>
internal sealed record RequestBatch(ConstituentSelection Selection, IReadOnlyList<BatchRequest> Requests)
{
    /// <summary>Starts the batch's part of the first request's trace, linked to the others'.</summary>
    public Activity? StartTrace(string name) => Measurements.Traces.StartActivity(
        name, ActivityKind.Internal, Requests[0].Trace,
        links: Requests.Skip(1).Where(request => request.Trace != default).Select(request => new ActivityLink(request.Trace)));

    /// <summary>The rows of each request.</summary>
    public ImmutableArray<ImmutableArray<float>> Rows => [.. Requests.Select(request => request.Prediction.Rows)];
}

/// <summary>The answer to a batch, to be cut into those of its requests.</summary>
internal interface IBatchAnswer
{
    /// <param name="first">Where the request's rows begin in the batch.</param>
    /// <exception cref="RunRejectedException">These rows have no answer.</exception>
    Prediction Part(int first, BatchRequest request);
}
