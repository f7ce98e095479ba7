using DistributedEnsemble.Serving.Authorization;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace DistributedEnsemble.Serving.Rpc;

/// <summary>Turns every failure of a method into its code and one line; none shows its insides.</summary>
internal sealed class RpcErrors(HttpSettings settings, ILogger<RpcErrors> log) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(request, context);
        }
        catch (Exception exception) when (exception is not RpcException)
        {
            var http = context.GetHttpContext();
            var hasPassed = context.Deadline <= DateTime.UtcNow && !http.RequestAborted.IsCancellationRequested;
            var failure = HttpFailure.Of(http, hasPassed ? HttpError.TimedOut("There was no answer within the call's deadline.") : exception, settings.RequestTimeoutSeconds);
            failure.Log(log, exception, http.Request);
            if (http.Features.Get<RpcCall>()?.Measured is { } measured) measured.Outcome = failure.Outcome;
            AdminAudit.CameTo(http, failure.Status);
            throw new RpcException(RpcStatus.Of(failure));
        }
    }
}
