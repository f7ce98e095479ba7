using DistributedEnsemble.Serving.Rpc;
using DistributedEnsemble.Serving.Rpc.Protocol;
using Google.Protobuf;
using static DistributedEnsemble.Serving.Rpc.Protocol.ModelInferRequest.Types;

namespace DistributedEnsemble.Serving.Tests.Rpc;

public sealed class RawMessageTests
{
    [Fact]
    public void Raw_elements_and_floats_count_as_they_come_and_small_ones_many_times()
    {
        Assert.InRange(Of(new ModelInferRequest { RawInputContents = { ByteString.CopyFrom(new byte[10_000]) } }), 10_000, 10_200);
        Assert.InRange(Of(Typed(new InferTensorContents { Fp32Contents = { new float[2_500] } })), 10_000, 11_000);
        Assert.InRange(Of(Typed(new InferTensorContents { Int64Contents = { new long[10_000] } })), 80_000, 400_000);
        Assert.InRange(Of(Typed(new InferTensorContents { BytesContents = { Enumerable.Repeat(ByteString.CopyFromUtf8("x"), 1_000) } })), 64_000, 200_000);
    }

    [Fact]
    public void What_is_no_message_counts_as_if_it_were_many()
    {
        var random = new Random(1);
        for (var i = 0; i < 2_000; i++)
        {
            var bytes = new byte[random.Next(1, 200)];
            random.NextBytes(bytes);
            Assert.InRange(RawMessage.Memory(bytes), 1, 32L * bytes.Length);
        }
    }

    [Fact]
    public void The_model_is_the_one_that_the_message_names()
    {
        var request = new ModelInferRequest { ModelName = "maß", ModelVersion = "1", Id = "mine", RawInputContents = { ByteString.CopyFrom(new byte[100]) } };
        var other = new ModelInferRequest { ModelName = "other" };

        Assert.Equal(("maß", "1"), RawMessage.Model(request.ToByteArray()));
        // As when it is read: what comes later holds.
        Assert.Equal(("other", "1"), RawMessage.Model([.. request.ToByteArray(), .. other.ToByteArray()]));
        Assert.Equal(("", ""), RawMessage.Model([]));
    }

    private static long Of(ModelInferRequest request) => RawMessage.Memory(request.ToByteArray());

    private static ModelInferRequest Typed(InferTensorContents contents) => new() { Inputs = { new InferInputTensor { Name = "input", Contents = contents } } };
}
