using System.Collections.Immutable;
using DistributedEnsemble.Training;

namespace DistributedEnsemble.Grains;

/// <summary>One client's rows in the queue.</summary>
/// <param name="Selection">The models to average: only requests for the same ones are computed together.</param>
/// <param name="Count">Rows.</param>
internal sealed record BatchRequest(ConstituentSelection Selection, PredictionRequest Prediction, int Count);

/// <summary>Requests that are computed together.</summary>
internal sealed record RequestBatch(ConstituentSelection Selection, IReadOnlyList<BatchRequest> Requests)
{
    /// <summary>The rows of all requests, one request after the other.</summary>
    public ImmutableArray<float> Rows() =>
        Requests.Count == 1 ? Requests[0].Prediction.Rows : [.. Requests.SelectMany(request => request.Prediction.Rows)];
}

/// <summary>The answer to a batch, to be cut into those of its requests.</summary>
internal interface IBatchAnswer
{
    /// <param name="first">Where the request's rows begin in the batch.</param>
    /// <exception cref="RunRejectedException">These rows have no answer.</exception>
    Prediction Part(int first, BatchRequest request);
}
