using System.Collections.Immutable;
using System.Runtime.InteropServices;
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
    public ImmutableArray<float> Rows()
    {
        if (Requests.Count == 1) return Requests[0].Prediction.Rows;
        var rows = new float[Requests.Sum(request => request.Prediction.Rows.Length)];
        var rest = rows.AsSpan();
        foreach (var request in Requests)
        {
            request.Prediction.Rows.AsSpan().CopyTo(rest);
            rest = rest[request.Prediction.Rows.Length..];
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(rows);
    }
}

/// <summary>The answer to a batch, to be cut into those of its requests.</summary>
internal interface IBatchAnswer
{
    /// <param name="first">Where the request's rows begin in the batch.</param>
    /// <exception cref="RunRejectedException">These rows have no answer.</exception>
    Prediction Part(int first, BatchRequest request);
}
