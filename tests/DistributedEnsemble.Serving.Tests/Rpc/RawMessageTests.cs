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
        Assert.InRange(Of(Typed(new InferTensorContents { Fp32Contents = { new float[2_500] } })), 10_000, 12_000);
        Assert.InRange(Of(Typed(new InferTensorContents { Int64Contents = { new long[10_000] } })), 80_000, 400_000);
        Assert.InRange(Of(Typed(new InferTensorContents { BytesContents = { Enumerable.Repeat(ByteString.CopyFromUtf8("x"), 1_000) } })), 64_000, 200_000);
    }

    [Theory]
    [InlineData("2a00", "an input that is empty")]
    [InlineData("2a022a00", "an input whose contents are empty")]
    [InlineData("2a022200", "an input with a parameter that is empty")]
    [InlineData("3200", "an output that is empty")]
    [InlineData("32021200", "an output with a parameter that is empty")]
    [InlineData("2200", "a parameter that is empty")]
    [InlineData("3a00", "raw elements that are empty")]
    [InlineData("9a0100", "a field that nobody knows")]
    [InlineData("0b0c", "a group")]
    [InlineData("0a0161", "a name, again and again")]
    public void What_a_message_takes_is_no_more_than_what_was_counted(string part, string what)
    {
        var bytes = Convert.FromHexString(string.Concat(Enumerable.Repeat(part, 1_000)));
        ModelInferRequest.Parser.ParseFrom(bytes);

        var before = GC.GetAllocatedBytesForCurrentThread();
        ModelInferRequest.Parser.ParseFrom(bytes);
        var taken = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.True(taken <= RawMessage.Memory(bytes), $"1,000 times {what}: {taken} bytes, of {RawMessage.Memory(bytes)} that were counted.");
    }

    [Fact]
    public void Fields_of_numbers_that_nobody_knows_take_no_more_than_what_was_counted()
    {
        using var message = new MemoryStream();
        using (var output = new CodedOutputStream(message, leaveOpen: true))
        {
            for (var field = 20; field < 5_000; field++)
            {
                output.WriteTag(field, WireFormat.WireType.Varint);
                output.WriteBool(false);
            }
        }

        var bytes = message.ToArray();
        ModelInferRequest.Parser.ParseFrom(bytes);
        var before = GC.GetAllocatedBytesForCurrentThread();
        ModelInferRequest.Parser.ParseFrom(bytes);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, RawMessage.Memory(bytes));
    }

    [Fact]
    public void Tags_and_lengths_that_are_longer_than_need_be_are_read_as_the_message_is()
    {
        foreach (var name in new[] { "8a8080808001" + "0161", "8a80808080808080808001"[..20] + "00" + "0161", "0a" + "8180808010" + "61", "0a" + "81808080808080808000" + "61" })
        {
            var bytes = Convert.FromHexString(name);
            Assert.Equal(Read(bytes), RawMessage.Model(bytes).Name);
        }

        static string Read(byte[] bytes)
        {
            try
            {
                return ModelInferRequest.Parser.ParseFrom(bytes).ModelName;
            }
            catch (InvalidProtocolBufferException)
            {
                return "";
            }
        }
    }

    [Fact]
    public void A_name_that_is_longer_than_any_is_not_read_whole() =>
        Assert.Equal(256, RawMessage.Model(new ModelInferRequest { ModelName = new string('a', 1 << 20) }.ToByteArray()).Name.Length);

    [Fact]
    public void What_is_no_message_counts_as_if_it_were_many()
    {
        var random = new Random(1);
        for (var i = 0; i < 2_000; i++)
        {
            var bytes = new byte[random.Next(1, 200)];
            random.NextBytes(bytes);
            Assert.InRange(RawMessage.Memory(bytes), 1, 1024L * bytes.Length);
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
