using System.Buffers;
using System.IO.Pipelines;
using DistributedEnsemble.Serving.Authorization;
using DistributedEnsemble.Serving.Inference;
using DistributedEnsemble.Serving.Models;
using DistributedEnsemble.Serving.Rpc.Protocol;
using DistributedEnsemble.Serving.Telemetry;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Http.Features;

namespace DistributedEnsemble.Serving.Rpc;

/// <summary>
/// Puts calls of gRPC under the limits that HTTP's requests have, before their messages are read: their bytes in memory counted as they
/// come, and as many predictions at once.
/// </summary>
internal sealed class RpcCalls(InferenceService inference, ModelRepository repository, Admission admission)
{
    /// <summary>Bytes before a message: whether it is packed, and how long it is.</summary>
    private const int Prefix = 5;

    /// <summary>Bytes of what somebody asks who watches: a name, which is kept for as long, and not counted.</summary>
    public const int MostWatched = 1 << 14;

    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method is not { } method) return next(context);
        return method switch
        {
            { Type: MethodType.ServerStreaming or MethodType.DuplexStreaming or MethodType.ClientStreaming } => WatchAsync(context, next),
            { Name: nameof(GRPCInferenceService.GRPCInferenceServiceBase.ModelInfer) } => inference.MeasureAsync(context, measured => ReadAsync(context, next, measured)),
            _ => ReadAsync(context, next, null),
        };
    }

    private async Task WatchAsync(HttpContext context, RequestDelegate next)
    {
        var isForAnyone = context.GetEndpoint()?.Metadata.GetMetadata<AccessMetadata>() is { Access: Access.Anyone };
        using var admitted = isForAnyone ? admission.Probe() : admission.Stream();
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = MostWatched;
        if (context.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>() is { Method.Type: MethodType.ServerStreaming })
        {
            // What is asked once is there before the answers begin: where it is too long, that has its code.
            using var lease = admission.Bytes();
            using var body = await admission.ReadAsync(context.Request, lease, context.RequestAborted);
            CheckUnpacked(body.Bytes.Span is [not 0, ..]);
            context.Features.Set<IRequestBodyPipeFeature>(new BodyOfCall(PipeReader.Create(new ReadOnlySequence<byte>(body.Bytes))));
            await next(context);
            return;
        }

        context.Features.Set<IRequestBodyPipeFeature>(new BodyOfCall(new UnpackedMessages(context.Request.BodyReader, context.Response)));
        await next(context);
    }

    private static void CheckUnpacked(bool isPacked)
    {
        if (isPacked) throw new HttpError(StatusCodes.Status415UnsupportedMediaType, UnpackedMessages.Refusal);
    }

    /// <param name="measured">Of calls that predict.</param>
    private async Task ReadAsync(HttpContext context, RequestDelegate next, MeasuredRequest? measured)
    {
        using var lease = admission.Bytes();
        using var body = await admission.ReadAsync(context.Request, lease, context.RequestAborted);
        var message = body.Bytes[Math.Min(Prefix, body.Length)..];
        CheckUnpacked(body.Bytes.Span is [not 0, ..]);
        // The model is found before the message is read, so that a call which is refused from here on counts as one of that model.
        var served = measured is null ? null : await FindAsync(message, measured, context.RequestAborted);
        // Whoever sends slowly takes no place from others meanwhile.
        using var admitted = measured is null ? null : admission.Request();
        measured?.HasArrived();
        // The message has its own copy of everything.
        var memory = RawMessage.Memory(message.Span);
        lease.Add(memory);
        context.Features.Set<IRequestBodyPipeFeature>(new BodyOfCall(PipeReader.Create(new ReadOnlySequence<byte>(body.Bytes))));
        var call = new RpcCall(lease, body, memory, measured, served);
        context.Features.Set(call);
        await next(context);
        // A message that cannot be read is answered before its method hears of it, and as if nothing had failed.
        if (measured is not null && !call.IsRead) measured.Outcome = MeasuredRequest.Refused;
    }

    private async Task<Served> FindAsync(ReadOnlyMemory<byte> message, MeasuredRequest measured, CancellationToken cancellation)
    {
        var (name, version) = RawMessage.Model(message.Span);
        // A text that is not set is empty.
        ModelPath.CheckVersion(name, version.Length > 0 ? version : null);
        var served = await repository.GetAsync(name, cancellation);
        measured.Run = served.Run;
        return served;
    }

    private sealed record BodyOfCall(PipeReader Reader) : IRequestBodyPipeFeature;
}

/// <summary>What a call holds until it is answered.</summary>
/// <param name="Memory">Bytes that its message takes, at most.</param>
/// <param name="Measured">Of calls that are measured.</param>
/// <param name="Served">The model that a call for predictions names.</param>
internal sealed record RpcCall(ByteBudget.Lease Lease, Admission.Body Body, long Memory, MeasuredRequest? Measured, Served? Served)
{
    /// <summary>Whether its method has the message.</summary>
    public bool IsRead { get; set; }

    public static RpcCall Of(HttpContext context) => context.Features.Get<RpcCall>() ?? throw new InvalidOperationException("The call was not admitted.");
}
