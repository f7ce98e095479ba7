using DistributedEnsemble.Messages;
using DistributedEnsemble.Serving.Authorization;
using DistributedEnsemble.Serving.Inference;
using DistributedEnsemble.Serving.Models;
using DistributedEnsemble.Serving.Rpc.Protocol;
using Google.Protobuf.Collections;
using Grpc.AspNetCore.Server;
using Grpc.Core;

namespace DistributedEnsemble.Serving.Rpc;

/// <summary>The Open Inference Protocol v2 over gRPC, and Triton's model repository extension: what HTTP answers, in messages.</summary>
internal sealed class OpenInferenceService(InferenceService inference, ModelRepository repository, Readiness readiness, HttpSettings settings)
    : GRPCInferenceService.GRPCInferenceServiceBase
{
    /// <summary>The key that a method asks for, as the same does over HTTP.</summary>
    public static void Guard(EndpointBuilder endpoint)
    {
        var access = endpoint.Metadata.OfType<GrpcMethodMetadata>().Single().Method.Name switch
        {
            nameof(ServerLive) or nameof(ServerReady) => Access.Anyone,
            nameof(RepositoryModelLoad) or nameof(RepositoryModelUnload) => Access.Admin,
            _ => Access.Inference,
        };
        endpoint.Metadata.Add(new AccessMetadata(access));
    }

    public override Task<ServerLiveResponse> ServerLive(ServerLiveRequest request, ServerCallContext context) => Task.FromResult(new ServerLiveResponse { Live = true });

    public override async Task<ServerReadyResponse> ServerReady(ServerReadyRequest request, ServerCallContext context) =>
        new() { Ready = await readiness.FailureAsync(context.CancellationToken) is null };

    public override Task<ModelReadyResponse> ModelReady(ModelReadyRequest request, ServerCallContext context)
    {
        ModelPath.CheckVersion(request.Name, Version(request.Version));
        return Task.FromResult(new ModelReadyResponse { Ready = repository.IsReady(request.Name) });
    }

    public override Task<ServerMetadataResponse> ServerMetadata(ServerMetadataRequest request, ServerCallContext context) =>
        Task.FromResult(new ServerMetadataResponse { Name = ModelEndpoints.ServerName, Version = ModelEndpoints.ServerVersion, Extensions = { "model_repository" } });

    public override async Task<ModelMetadataResponse> ModelMetadata(ModelMetadataRequest request, ServerCallContext context)
    {
        ModelPath.CheckVersion(request.Name, Version(request.Version));
        var model = (await repository.GetAsync(request.Name, context.CancellationToken)).Model;
        return new ModelMetadataResponse
        {
            Name = request.Name,
            Versions = { Inference.ModelMetadata.Version },
            Platform = Inference.ModelMetadata.Platform,
            Inputs = { Inference.ModelMetadata.Inputs(model).Select(Message) },
            Outputs = { Inference.ModelMetadata.Outputs(model).Select(Message) },
        };
    }

    public override async Task<ModelInferResponse> ModelInfer(ModelInferRequest request, ServerCallContext context)
    {
        var call = RpcCall.Of(context.GetHttpContext());
        var (measured, served) = (call.Measured!, call.Served!);
        call.IsRead = true;
        // What was found is what the message names, unless it has it behind what only its reader passes over.
        if (request.ModelName != served.Run.Name) throw HttpError.BadRequest($"The message names {OneLine.Quoted(served.Run.Name)} and {OneLine.Quoted(request.ModelName)}: it is of one model.");
        call.Body.Dispose();
        call.Lease.Hold(call.Memory);
        var read = new RpcRequestReader(served.Model, settings, request, call.Lease.Add).Read();
        var most = new InferResponse(request.ModelName, served.Model, read).MostBytes;
        // The message stays to the end, and so does the answer's beside the bytes that it is sent as.
        var prediction = await inference.PredictAsync(served, read, most, otherBytes: call.Memory + most, call.Lease, measured, context.CancellationToken);
        var answer = RpcAnswer.Of(request.ModelName, served.Model, read, prediction);
        measured.IsWritten();
        return answer;
    }

    public override Task<RepositoryIndexResponse> RepositoryIndex(RepositoryIndexRequest request, ServerCallContext context)
    {
        CheckRepository(request.RepositoryName);
        var models = repository.List(after: null).Where(model => model.IsReady || !request.Ready).Take(settings.MaxPageSize);
        return Task.FromResult(new RepositoryIndexResponse
        {
            Models =
            {
                models.Select(model => new RepositoryIndexResponse.Types.ModelIndex
                {
                    Name = model.Run.Name, Version = Inference.ModelMetadata.Version, State = model.StateInWords, Reason = model.Reason,
                }),
            },
        });
    }

    public override async Task<RepositoryModelLoadResponse> RepositoryModelLoad(RepositoryModelLoadRequest request, ServerCallContext context)
    {
        AdminAudit.Names(context.GetHttpContext(), request.ModelName);
        CheckRepository(request.RepositoryName);
        CheckNothingAsked(request.Parameters, harmless: null);
        await repository.LoadAsync(request.ModelName, context.CancellationToken);
        return new RepositoryModelLoadResponse();
    }

    public override Task<RepositoryModelUnloadResponse> RepositoryModelUnload(RepositoryModelUnloadRequest request, ServerCallContext context)
    {
        AdminAudit.Names(context.GetHttpContext(), request.ModelName);
        CheckRepository(request.RepositoryName);
        CheckNothingAsked(request.Parameters, RepositoryRequest.UnloadDependents);
        repository.Unload(request.ModelName);
        return Task.FromResult(new RepositoryModelUnloadResponse());
    }

    /// <summary>A text that is not set is empty.</summary>
    private static string? Version(string version) => version.Length > 0 ? version : null;

    private static void CheckRepository(string name)
    {
        if (name.Length > 0) throw RepositoryRequest.NotTaken("repository_name");
    }

    private static void CheckNothingAsked(MapField<string, ModelRepositoryParameter> parameters, string? harmless)
    {
        foreach (var name in parameters.Keys.Where(name => name != harmless)) throw RepositoryRequest.NotTaken($"parameters.{name}");
    }

    private static ModelMetadataResponse.Types.TensorMetadata Message(Inference.ModelMetadata.Tensor tensor) =>
        new() { Name = tensor.Name, Datatype = tensor.Datatype, Shape = { tensor.Shape } };
}
