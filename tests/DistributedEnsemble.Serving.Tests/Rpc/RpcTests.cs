using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Serving.Authorization;
using DistributedEnsemble.Serving.Rpc.Protocol;
using DistributedEnsemble.Specs;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Grpc.Reflection.V1Alpha;
using Microsoft.Extensions.Logging;
using Client = DistributedEnsemble.Serving.Rpc.Protocol.GRPCInferenceService.GRPCInferenceServiceClient;
using static DistributedEnsemble.Serving.Rpc.Protocol.ModelInferRequest.Types;

namespace DistributedEnsemble.Serving.Tests.Rpc;

/// <summary>The Open Inference Protocol over gRPC, by the client that its file generates.</summary>
public sealed class RpcTests(ServedRuns served) : IClassFixture<ServedRuns>
{
    private const string InferenceKey = "inference-0123456789", AdminKey = "admin-0123456789abc";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Server_and_model_say_of_themselves_what_http_says()
    {
        await using var server = await StartAsync(new HttpSettings());
        using var channel = GrpcChannel.ForAddress(server.GrpcUrl!);
        var client = new Client(channel);

        var metadata = await client.ModelMetadataAsync(new ModelMetadataRequest { Name = "small", Version = "1" }, cancellationToken: Cancellation);
        var http = await served.Client.GetFromJsonAsync<JsonElement>("/v2/models/small", Cancellation);

        Assert.True((await client.ServerLiveAsync(new ServerLiveRequest(), cancellationToken: Cancellation)).Live);
        Assert.True((await client.ServerReadyAsync(new ServerReadyRequest(), cancellationToken: Cancellation)).Ready);
        Assert.True((await client.ModelReadyAsync(new ModelReadyRequest { Name = "small" }, cancellationToken: Cancellation)).Ready);
        Assert.Equal("DistributedEnsemble", (await client.ServerMetadataAsync(new ServerMetadataRequest(), cancellationToken: Cancellation)).Name);
        Assert.Equal(("small", "1", "distributed-ensemble"), (metadata.Name, metadata.Versions.Single(), metadata.Platform));
        foreach (var (tensors, name) in new[] { (metadata.Inputs, "inputs"), (metadata.Outputs, "outputs") })
        {
            Assert.Equal(
                http.GetProperty(name).EnumerateArray().Select(tensor => (tensor.GetProperty("name").GetString(), tensor.GetProperty("datatype").GetString(), tensor.GetProperty("shape").GetRawText())),
                tensors.Select(tensor => ((string?)tensor.Name, (string?)tensor.Datatype, $"[{string.Join(',', tensor.Shape)}]")));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_prediction_has_the_bits_of_http_s_raw_and_typed(bool isRaw)
    {
        await using var server = await StartAsync(new HttpSettings());
        using var channel = GrpcChannel.ForAddress(server.GrpcUrl!);
        var rows = ServedRuns.Rows(3);
        var expected = await served.PredictAsync(rows);
        var request = Request(rows, isRaw);
        foreach (var name in new[] { "label", "probabilities", "members_used", "member_probabilities", "label_index", "member_weight" }) request.Outputs.Add(new InferRequestedOutputTensor { Name = name });

        var answer = await new Client(channel).ModelInferAsync(request, cancellationToken: Cancellation);

        Assert.Equal(("small", "1", "mine"), (answer.ModelName, answer.ModelVersion, answer.Id));
        Assert.Equal(["label", "probabilities", "members_used", "member_probabilities", "label_index", "member_weight"], answer.Outputs.Select(output => output.Name));
        Assert.Equal((isRaw ? 6 : 0, !isRaw), (answer.RawOutputContents.Count, answer.Outputs.All(output => output.Contents is not null)));
        Assert.Equal([3L, 3, 10], answer.Outputs[3].Shape);
        Assert.Equal(expected["probabilities"].Numbers, Floats(answer, 1));
        Assert.Equal(expected["label"].Texts, isRaw ? Texts(answer.RawOutputContents[0].Span) : answer.Outputs[0].Contents.BytesContents.Select(text => text.ToStringUtf8()));
        Assert.Equal([3L, 3, 3], Longs(answer, 2));
        Assert.Equal(expected["label_index"].Integers, Longs(answer, 4));
        Assert.Equal(expected.Members[1].Outputs[0].Numbers.Slice(10, 10), Floats(answer, 3).Skip(40).Take(10));
        Assert.Equal([3L, 3], answer.Outputs[5].Shape);
        Assert.Equal(Enumerable.Repeat(1f / 3, 9), Floats(answer, 5));
        Assert.Equal(3, answer.Parameters["members_used"].Int64Param);
    }

    [Fact]
    public async Task Parameters_mean_what_they_mean_over_http()
    {
        await using var server = await StartAsync(new HttpSettings());
        using var channel = GrpcChannel.ForAddress(server.GrpcUrl!);
        var row = ServedRuns.Rows(1);
        var request = Request(row, isRaw: false);
        request.Parameters["members"] = new InferParameter { Int64Param = 2 };
        request.Parameters["monte_carlo_samples"] = new InferParameter { Uint64Param = 5 };
        request.Parameters["from"] = new InferParameter { StringParam = "final" };
        request.Parameters["coverage"] = new InferParameter { DoubleParam = 0.5 };
        request.Parameters["binary_data_output"] = new InferParameter { BoolParam = true };

        var answer = await new Client(channel).ModelInferAsync(request, cancellationToken: Cancellation);

        Assert.Equal(
            (await served.PredictAsync(row, new ConstituentChoice(PredictionSource.Final, null, 2, 5)))["probabilities"].Numbers,
            MemoryMarshal.Cast<byte, float>(answer.RawOutputContents.Single().Span).ToArray());
    }

    /// <summary>Triton's clients send texts, booleans and whole numbers, and no others.</summary>
    [Theory]
    [InlineData("early_exit", "1.5", "parameters.early_exit is 1.5: it must be a number from 0, which asks all members, and below 1.")]
    [InlineData("early_exit", "half", "parameters.early_exit is \"half\": it must be a number from 0, which asks all members, and below 1.")]
    [InlineData("early_exit", "NaN", "parameters.early_exit is \"NaN\": it must be a number from 0, which asks all members, and below 1.")]
    [InlineData("early_exit", "0.5", null)]
    [InlineData("coverage", "5e-1", null)]
    [InlineData("coverage", "0", "parameters.coverage is 0: it must be a number above 0 and below 1.")]
    [InlineData("select", "1", "prediction.select is \"1\": ")]
    public async Task A_share_may_come_as_a_text(string name, string text, string? error)
    {
        await using var server = await StartAsync(new HttpSettings());
        using var channel = GrpcChannel.ForAddress(server.GrpcUrl!);
        var request = Request(ServedRuns.Rows(1), isRaw: false);
        request.Parameters[name] = new InferParameter { StringParam = text };

        var failure = await Record.ExceptionAsync(async () => await new Client(channel).ModelInferAsync(request, cancellationToken: Cancellation));

        if (error is null) Assert.Null(failure);
        else Assert.StartsWith(error, Assert.IsType<RpcException>(failure).Status.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task A_packed_message_is_unimplemented_whatever_asks(string packing)
    {
        await using var server = await StartAsync(new HttpSettings());
        using var http = new HttpClient { BaseAddress = new Uri(server.GrpcUrl!) };
        foreach (var (path, message) in new (string, IMessage)[]
        {
            ("inference.GRPCInferenceService/ModelInfer", Request(ServedRuns.Rows(1), isRaw: true)), ("inference.GRPCInferenceService/ServerLive", new ServerLiveRequest()),
            ("grpc.health.v1.Health/Check", new HealthCheckRequest()), ("grpc.health.v1.Health/Watch", new HealthCheckRequest()),
            ("grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", new ServerReflectionRequest { ListServices = "" }),
        })
        {
            var body = Framed(message);
            body[0] = 1;

            var said = await SendAsync(http, path, packing, body);

            Assert.Equal(((int)StatusCode.Unimplemented).ToString(System.Globalization.CultureInfo.InvariantCulture), said["grpc-status"].Single());
            Assert.Contains("packed", said["grpc-message"].Single(), StringComparison.Ordinal);
            Assert.Equal("identity", said["grpc-accept-encoding"].Single());
        }
    }

    [Fact]
    public async Task A_packed_message_is_unimplemented_behind_another()
    {
        await using var server = await StartAsync(new HttpSettings());
        using var http = new HttpClient { BaseAddress = new Uri(server.GrpcUrl!) };
        var (first, packed) = (Framed(new ServerReflectionRequest { ListServices = "" }), Framed(new ServerReflectionRequest { ListServices = "" }));
        packed[0] = 1;

        var said = await SendAsync(http, "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", "gzip", [.. first, .. packed]);

        Assert.Equal("12", said["grpc-status"].Single());
        Assert.Contains("packed", said["grpc-message"].Single(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("inference.GRPCInferenceService/ServerLive")]
    [InlineData("grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")]
    public async Task A_client_that_packs_may_send_a_message_as_it_is(string path)
    {
        await using var server = await StartAsync(new HttpSettings());
        using var http = new HttpClient { BaseAddress = new Uri(server.GrpcUrl!) };

        var said = await SendAsync(http, path, "gzip", Framed(new ServerLiveRequest()));

        Assert.Equal("0", said["grpc-status"].Single());
    }

    [Fact]
    public async Task What_fails_has_the_code_of_its_http_status_and_the_same_line()
    {
        await using var server = await StartAsync(new HttpSettings { MaxRows = 2, MaxBodyBytes = 10_000 });
        using var channel = GrpcChannel.ForAddress(server.GrpcUrl!);
        var client = new Client(channel);
        foreach (var (change, code, message) in new (Action<ModelInferRequest>, StatusCode, string)[]
        {
            (request => request.ModelName = "nobody", StatusCode.NotFound, "Model \"nobody\" is unknown: no run has that name."),
            (request => request.ModelVersion = "2", StatusCode.NotFound, "Model \"small\" has no version \"2\": a run has the version 1 alone."),
            (request => request.Inputs[0].Shape[0] = 2, StatusCode.InvalidArgument, "The shape [2, 1, 8, 8] has 128 numbers, and the request has not so many."),
            (request => request.Inputs[0].Shape[0] = 3, StatusCode.ResourceExhausted, "The input has 3 rows: one request takes up to 2."),
            (request => request.Inputs[0].Datatype = "INT8", StatusCode.InvalidArgument, "inputs[0] has no int_contents, where INT8 has its elements, and no raw_input_contents."),
            (request => request.Inputs[0].Contents.Fp32Contents[3] = float.NaN, StatusCode.InvalidArgument, "Number 3 of the input is NaN as float32: rows hold finite numbers only."),
            (request => request.RawInputContents.Add(ByteString.Empty), StatusCode.InvalidArgument, "inputs[0] has contents, and the request has raw_input_contents: its elements are in one of the two."),
            (request => request.Parameters["temperature"] = new InferParameter { Int64Param = 1 }, StatusCode.InvalidArgument, "parameters.temperature is unknown: there are "),
            (request => request.Outputs.Add(new InferRequestedOutputTensor { Name = "x" }), StatusCode.InvalidArgument, "The model has no output \"x\": it has probabilities, "),
            (request => request.Parameters["from"] = new InferParameter { StringParam = "ema" }, StatusCode.InvalidArgument, "prediction.from is ema: run \"small\" kept no EMA models"),
            (request => request.Id = new string('x', 20_000), StatusCode.ResourceExhausted, "Request body too large. The max request body size is 10000 bytes."),
        })
        {
            var request = Request(ServedRuns.Rows(1), isRaw: false);
            change(request);
            var failure = await Assert.ThrowsAsync<RpcException>(async () => await client.ModelInferAsync(request, cancellationToken: Cancellation));
            Assert.Equal(code, failure.StatusCode);
            Assert.StartsWith(message, failure.Status.Detail, StringComparison.Ordinal);
        }

        var late = await Assert.ThrowsAsync<RpcException>(async () => await client.ModelInferAsync(Request(ServedRuns.Rows(1), isRaw: false), deadline: DateTime.UtcNow, cancellationToken: Cancellation));
        Assert.Equal(StatusCode.DeadlineExceeded, late.StatusCode);
    }

    [Fact]
    public async Task Limits_of_memory_are_http_s()
    {
        await using var server = await StartAsync(new HttpSettings { MaxResponseBytes = 1024 });
        using var channel = GrpcChannel.ForAddress(server.GrpcUrl!);

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await new Client(channel).ModelInferAsync(Request(ServedRuns.Rows(20), isRaw: true), cancellationToken: Cancellation));

        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
        Assert.StartsWith("The answer to 20 rows has up to ", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_come_as_metadata_and_changes_leave_a_line()
    {
        var log = new ConcurrentQueue<string>();
        await using var server = await HttpServer.StartAsync(
            served.Grains, served.RunsFolder, new HttpSettings { Url = "http://127.0.0.1:0", GrpcUrl = "http://127.0.0.1:0", InferenceKey = InferenceKey, AdminKey = AdminKey },
            logs: logs => logs.AddProvider(new LogLines(log)), cancellation: Cancellation);
        using var channel = GrpcChannel.ForAddress(server.GrpcUrl!);
        var client = new Client(channel);
        var load = new RepositoryModelLoadRequest { ModelName = "small" };
        Metadata inference = new() { { "authorization", $"Bearer {InferenceKey}" } }, admin = new() { { "x-api-key", AdminKey } };

        var none = await Assert.ThrowsAsync<RpcException>(async () => await client.ModelInferAsync(Request(ServedRuns.Rows(1), isRaw: true), cancellationToken: Cancellation));
        var small = await Assert.ThrowsAsync<RpcException>(async () => await client.RepositoryModelLoadAsync(load, inference, cancellationToken: Cancellation));
        var unknown = await Assert.ThrowsAsync<RpcException>(async () => await client.RepositoryModelUnloadAsync(new RepositoryModelUnloadRequest { ModelName = "nobody" }, admin, cancellationToken: Cancellation));

        Assert.Equal((StatusCode.Unauthenticated, "This needs an inference key: send it as \"Authorization: Bearer KEY\" or \"X-Api-Key: KEY\"."), (none.StatusCode, none.Status.Detail));
        Assert.Equal((StatusCode.PermissionDenied, "This needs an admin key, and the key that was sent is for predictions."), (small.StatusCode, small.Status.Detail));
        Assert.Equal(StatusCode.NotFound, unknown.StatusCode);
        Assert.True((await client.ServerLiveAsync(new ServerLiveRequest(), cancellationToken: Cancellation)).Live);
        Assert.Single((await client.ModelInferAsync(Request(ServedRuns.Rows(1), isRaw: true), inference, cancellationToken: Cancellation)).RawOutputContents);
        await client.RepositoryModelLoadAsync(load, admin, cancellationToken: Cancellation);
        await ServedRuns.WaitAsync(() => Task.FromResult(log.Count(line => line.StartsWith(HttpServer.AuditCategory, StringComparison.Ordinal)) == 3));
        const string Path = "POST /inference.GRPCInferenceService/";
        Assert.Equal(
            [
                $"{HttpServer.AuditCategory}: {Path}RepositoryModelLoad from 127.0.0.1 with key {ApiKeys.NameOf(InferenceKey)}: 403.",
                $"{HttpServer.AuditCategory}: {Path}RepositoryModelUnload of \"nobody\" from 127.0.0.1 with key {ApiKeys.NameOf(AdminKey)}: 404.",
                $"{HttpServer.AuditCategory}: {Path}RepositoryModelLoad of \"small\" from 127.0.0.1 with key {ApiKeys.NameOf(AdminKey)}: 200.",
            ],
            log.Where(line => line.StartsWith(HttpServer.AuditCategory, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Models_are_unloaded_and_loaded_for_both_protocols()
    {
        await using var server = await StartAsync(new HttpSettings());
        using var channel = GrpcChannel.ForAddress(server.GrpcUrl!);
        using var http = new HttpClient { BaseAddress = new Uri(server.Url) };
        var client = new Client(channel);

        await client.RepositoryModelUnloadAsync(new RepositoryModelUnloadRequest { ModelName = "small" }, cancellationToken: Cancellation);
        var unloaded = (await client.RepositoryIndexAsync(new RepositoryIndexRequest(), cancellationToken: Cancellation)).Models.Single(model => model.Name == "small");
        var isReady = (await client.ModelReadyAsync(new ModelReadyRequest { Name = "small" }, cancellationToken: Cancellation)).Ready;
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await client.ModelInferAsync(Request(ServedRuns.Rows(1), isRaw: true), cancellationToken: Cancellation));
        var overHttp = await http.GetAsync("/v2/models/small/ready", Cancellation);
        await client.RepositoryModelLoadAsync(new RepositoryModelLoadRequest { ModelName = "small" }, cancellationToken: Cancellation);

        Assert.Equal(("UNAVAILABLE", "it is not loaded", false), (unloaded.State, unloaded.Reason, isReady));
        Assert.Equal((StatusCode.Unavailable, 503), (refused.StatusCode, (int)overHttp.StatusCode));
        Assert.Contains("small", (await client.RepositoryIndexAsync(new RepositoryIndexRequest { Ready = true }, cancellationToken: Cancellation)).Models.Select(model => model.Name));
    }

    [Fact]
    public async Task Both_protocols_are_counted_together()
    {
        await using var server = await StartAsync(new HttpSettings());
        using var channel = GrpcChannel.ForAddress(server.GrpcUrl!);
        using var http = new HttpClient { BaseAddress = new Uri(server.Url) };
        var client = new Client(channel);

        await client.ModelInferAsync(Request(ServedRuns.Rows(2), isRaw: true), cancellationToken: Cancellation);
        var bad = Request(ServedRuns.Rows(1), isRaw: true);
        bad.Parameters["coverage"] = new InferParameter { Int64Param = 7 };
        await Assert.ThrowsAsync<RpcException>(async () => await client.ModelInferAsync(bad, cancellationToken: Cancellation));

        var statistics = (await http.GetFromJsonAsync<JsonElement>("/v2/models/small/stats", Cancellation)).GetProperty("model_stats")[0];
        Assert.Equal(2, statistics.GetProperty("inference_count").GetInt32());
        Assert.Equal(1, statistics.GetProperty("inference_stats").GetProperty("success").GetProperty("count").GetInt32());
        Assert.Equal(1, statistics.GetProperty("inference_stats").GetProperty("fail").GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task What_is_refused_for_want_of_room_counts_as_failed_over_both()
    {
        // The rows fit in beside the message, and what the models answer does not.
        await using var server = await StartAsync(new HttpSettings { MaxBodyBytes = 1 << 16, MaxBytesInFlight = 1 << 17 });
        using var channel = GrpcChannel.ForAddress(server.GrpcUrl!);
        using var http = new HttpClient { BaseAddress = new Uri(server.Url) };
        var rows = ServedRuns.Rows(100);

        var refused = await Assert.ThrowsAsync<RpcException>(async () => await new Client(channel).ModelInferAsync(Large(), cancellationToken: Cancellation));
        Assert.Equal((StatusCode.ResourceExhausted, 1), (refused.StatusCode, await FailedAsync()));
        var answer = await http.PostAsJsonAsync(
            "/v2/models/small/infer", new { inputs = new[] { new { name = "input", shape = new[] { 100, 1, 8, 8 }, datatype = "FP32", data = rows.Select(number => (int)number) } } }, Cancellation);
        Assert.Equal((413, 2), ((int)answer.StatusCode, await FailedAsync()));

        ModelInferRequest Large()
        {
            var request = Request(rows, isRaw: true);
            request.Parameters["monte_carlo_samples"] = new InferParameter { Int64Param = 10 };
            return request;
        }

        async Task<int> FailedAsync() => (await http.GetFromJsonAsync<JsonElement>("/v2/models/small/stats", Cancellation))
            .GetProperty("model_stats")[0].GetProperty("inference_stats").GetProperty("fail").GetProperty("count").GetInt32();
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0, 0, 8, 10, 5, (byte)'s', (byte)'m', (byte)'a', (byte)'l', (byte)'l', 15 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 9, 10, 5, (byte)'s', (byte)'m', (byte)'a', (byte)'l', (byte)'l' })]
    public async Task What_is_no_message_counts_as_failed_and_answers_nobody(byte[] body)
    {
        await using var server = await StartAsync(new HttpSettings());
        using var http = new HttpClient { BaseAddress = new Uri(server.Url) };
        using var client = new HttpClient { BaseAddress = new Uri(server.GrpcUrl!), DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } };

        using var answer = await client.PostAsync("/inference.GRPCInferenceService/ModelInfer", content, Cancellation);

        await answer.Content.ReadAsByteArrayAsync(Cancellation);
        Assert.NotEqual("0", (answer.Headers.TryGetValues("grpc-status", out var status) ? status : answer.TrailingHeaders.GetValues("grpc-status")).Single());
        var counted = (await http.GetFromJsonAsync<JsonElement>("/v2/models/small/stats", Cancellation)).GetProperty("model_stats")[0].GetProperty("inference_stats");
        Assert.Equal(
            (0, 0, 1), (counted.GetProperty("success").GetProperty("count").GetInt32(), counted.GetProperty("compute_input").GetProperty("ns").GetInt64(), counted.GetProperty("fail").GetProperty("count").GetInt32()));
    }

    [Fact]
    public async Task Calls_that_send_slowly_take_no_place_from_others()
    {
        await using var server = await StartAsync(new HttpSettings { MaxConcurrentRequests = 1 });
        using var channel = GrpcChannel.ForAddress(server.GrpcUrl!);
        using var client = new HttpClient { BaseAddress = new Uri(server.GrpcUrl!), DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        var slow = Enumerable.Range(0, 3).Select(_ => new Trickle(Framed(Request(ServedRuns.Rows(1), isRaw: true)), "application/grpc")).ToArray();
        var answers = slow.Select(content => client.PostAsync("/inference.GRPCInferenceService/ModelInfer", content, Cancellation)).ToArray();
        // What the first bytes of a stream need to be sent is that the server has given it room.
        foreach (var (content, answer) in slow.Zip(answers)) await Task.WhenAny(content.HasBegun.Task, answer).WaitAsync(Cancellation);

        var quick = await new Client(channel).ModelInferAsync(Request(ServedRuns.Rows(1), isRaw: true), cancellationToken: Cancellation);

        Assert.Single(quick.Outputs);
        foreach (var (content, answer) in slow.Zip(answers))
        {
            content.Go.SetResult();
            using var whole = await answer;
            Assert.NotEmpty(await whole.Content.ReadAsByteArrayAsync(Cancellation));
            Assert.Equal("0", Assert.Single(whole.TrailingHeaders.GetValues("grpc-status")));
        }
    }

    [Fact]
    public async Task What_there_is_not_is_unimplemented_and_http_keeps_its_own_answers()
    {
        await using var server = await StartAsync(new HttpSettings());
        using var channel = GrpcChannel.ForAddress(server.GrpcUrl!);
        using var http = new HttpClient { BaseAddress = new Uri(server.Url) };
        foreach (var service in new[] { "inference.GRPCInferenceService", "inference.Another" })
        {
            var marshaller = Marshallers.Create(_ => Array.Empty<byte>(), bytes => bytes);
            var method = new Method<byte[], byte[]>(MethodType.Unary, service, "Invent", marshaller, marshaller);
            var failure = await Assert.ThrowsAsync<RpcException>(async () => await channel.CreateCallInvoker().AsyncUnaryCall(method, null, new CallOptions(cancellationToken: Cancellation), []));
            Assert.Equal((StatusCode.Unimplemented, $"There is no method /{service}/Invent here."), (failure.StatusCode, failure.Status.Detail));
        }

        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await http.DeleteAsync("/api/runs", Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await http.PostAsync("/api/another", null, Cancellation)).StatusCode);
    }

    [Fact]
    public async Task Probes_that_watch_without_a_key_take_no_place_from_those_who_have_one()
    {
        await using var server = await StartAsync(new HttpSettings { InferenceKey = InferenceKey, MaxEventStreams = 1 });
        using var channel = GrpcChannel.ForAddress(server.GrpcUrl!);
        var watches = Enumerable.Range(0, 17).Select(_ => new Health.HealthClient(channel).Watch(new HealthCheckRequest(), cancellationToken: Cancellation)).ToArray();
        var admitted = 0;
        foreach (var watch in watches)
        {
            try
            {
                if (await watch.ResponseStream.MoveNext(Cancellation)) admitted++;
            }
            catch (RpcException refused) when (refused.StatusCode is StatusCode.ResourceExhausted or StatusCode.Unavailable)
            {
            }
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, $"{server.Url}/api/runs/small/events") { Headers = { { "X-Api-Key", InferenceKey } } };
        using var events = await served.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);

        Assert.Equal((16, 200), (admitted, (int)events.StatusCode));
        foreach (var watch in watches) watch.Dispose();
    }

    [Fact]
    public async Task Whoever_watches_sends_a_name_and_nothing_that_takes_memory()
    {
        await using var server = await StartAsync(new HttpSettings());
        using var channel = GrpcChannel.ForAddress(server.GrpcUrl!);
        var name = new string('x', 100_000);
        using var watch = new Health.HealthClient(channel).Watch(new HealthCheckRequest { Service = name }, cancellationToken: Cancellation);
        using var reflection = new ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo(cancellationToken: Cancellation);

        var watched = await Assert.ThrowsAsync<RpcException>(() => watch.ResponseStream.MoveNext(Cancellation));
        await reflection.RequestStream.WriteAsync(new ServerReflectionRequest { FileContainingSymbol = name }, Cancellation);
        var asked = await Assert.ThrowsAsync<RpcException>(() => reflection.ResponseStream.MoveNext(Cancellation));

        Assert.Equal((StatusCode.ResourceExhausted, StatusCode.ResourceExhausted), (watched.StatusCode, asked.StatusCode));
    }

    [Fact]
    public async Task Probes_and_clients_without_the_file_are_answered()
    {
        await using var server = await StartAsync(new HttpSettings());
        using var channel = GrpcChannel.ForAddress(server.GrpcUrl!);
        foreach (var service in new[] { "", "inference.GRPCInferenceService" })
            Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, (await new Health.HealthClient(channel).CheckAsync(new HealthCheckRequest { Service = service }, cancellationToken: Cancellation)).Status);

        using var reflection = new ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo(cancellationToken: Cancellation);
        await reflection.RequestStream.WriteAsync(new ServerReflectionRequest { ListServices = "" }, Cancellation);
        await reflection.RequestStream.WriteAsync(new ServerReflectionRequest { FileContainingSymbol = "inference.GRPCInferenceService" }, Cancellation);
        await reflection.RequestStream.CompleteAsync();
        var answers = new List<ServerReflectionResponse>();
        while (await reflection.ResponseStream.MoveNext(Cancellation)) answers.Add(reflection.ResponseStream.Current);

        Assert.Contains("inference.GRPCInferenceService", answers[0].ListServicesResponse.Service.Select(service => service.Name));
        var file = FileDescriptorProto.Parser.ParseFrom(answers[1].FileDescriptorResponse.FileDescriptorProto[0]);
        Assert.Equal(("inference", 9), (file.Package, file.Service.Single().Method.Count));
    }

    [Fact]
    public void Without_tls_the_two_need_a_port_each() => Assert.Equal(
        "--grpc http://localhost:8000 is where --http http://127.0.0.1:8000 is: without TLS each needs a port of its own.",
        Assert.Throws<HttpSettingsException>(() => HttpSettingsCheck.Of(new HttpSettings { GrpcUrl = "http://localhost:8000" })).Message);

    [Theory]
    [InlineData("http://0.0.0.0:8001", "--grpc http://0.0.0.0:8001 is not on loopback: it needs an API key (ENSEMBLE__SERVING__INFERENCEKEYFILE) and TLS (an https address and ENSEMBLE__SERVING__CERTIFICATE, or ENSEMBLE__SERVING__BEHINDPROXY=true if a proxy in front of it ends TLS).")]
    [InlineData("https://127.0.0.1:8001", "--grpc https://127.0.0.1:8001 is https: it needs a certificate (ENSEMBLE__SERVING__CERTIFICATE, a PEM file).")]
    [InlineData("8001", "--grpc is 8001: it takes http:// or https://, an IP address or localhost, and a port, as in http://127.0.0.1:8001.")]
    public void Its_address_obeys_http_s_rules(string url, string message) =>
        Assert.Equal(message, Assert.Throws<HttpSettingsException>(() => HttpSettingsCheck.Of(new HttpSettings { GrpcUrl = url })).Message);

    private Task<HttpServer> StartAsync(HttpSettings settings) => served.StartAsync(settings with { GrpcUrl = "http://127.0.0.1:0" });

    private static ModelInferRequest Request(float[] rows, bool isRaw)
    {
        var input = new InferInputTensor { Name = "input", Datatype = "FP32", Shape = { rows.Length / 64, 1, 8, 8 } };
        var request = new ModelInferRequest { ModelName = "small", Id = "mine", Inputs = { input } };
        if (isRaw) request.RawInputContents.Add(ByteString.CopyFrom(MemoryMarshal.AsBytes(rows.AsSpan())));
        else input.Contents = new InferTensorContents { Fp32Contents = { rows } };
        return request;
    }

    private static float[] Floats(ModelInferResponse answer, int place) => answer.Outputs[place].Contents is { } typed
        ? [.. typed.Fp32Contents]
        : MemoryMarshal.Cast<byte, float>(answer.RawOutputContents[place].Span).ToArray();

    private static long[] Longs(ModelInferResponse answer, int place) => answer.Outputs[place].Contents is { } typed
        ? [.. typed.Int64Contents]
        : MemoryMarshal.Cast<byte, long>(answer.RawOutputContents[place].Span).ToArray();

    /// <summary>A message as it goes over the wire: not packed, and how long it is.</summary>
    private static byte[] Framed(IMessage message)
    {
        var bytes = message.ToByteArray();
        return [0, .. BitConverter.GetBytes(BinaryPrimitives.ReverseEndianness(bytes.Length)), .. bytes];
    }

    /// <returns>The answer's headers and trailers.</returns>
    private static async Task<ILookup<string, string>> SendAsync(HttpClient http, string path, string packing, byte[] body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } };
        request.Headers.Add("grpc-encoding", packing);
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        using var response = await http.SendAsync(request, Cancellation);
        await response.Content.ReadAsByteArrayAsync(Cancellation);
        return response.Headers.Concat(response.TrailingHeaders).ToLookup(header => header.Key, header => string.Join(',', header.Value));
    }

    private static List<string> Texts(ReadOnlySpan<byte> bytes)
    {
        var texts = new List<string>();
        for (; !bytes.IsEmpty; bytes = bytes[(4 + BitConverter.ToInt32(bytes))..]) texts.Add(Encoding.UTF8.GetString(bytes.Slice(4, BitConverter.ToInt32(bytes))));
        return texts;
    }
}
