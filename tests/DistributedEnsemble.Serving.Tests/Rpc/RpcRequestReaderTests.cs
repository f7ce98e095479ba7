using System.Runtime.InteropServices;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Serving.Rpc;
using DistributedEnsemble.Serving.Rpc.Protocol;
using Google.Protobuf;
using static DistributedEnsemble.Serving.Rpc.Protocol.ModelInferRequest.Types;

namespace DistributedEnsemble.Serving.Tests.Rpc;

public sealed class RpcRequestReaderTests
{
    private static readonly ServedModel s_mixed = Table(new("age", ServedColumn.Number), new("town", ServedColumn.Text));
    private static readonly ServedModel s_numbers = Table(new("a", ServedColumn.Number), new("b", ServedColumn.Number));

    [Fact]
    public void Each_column_is_an_input()
    {
        var request = Read(
            s_mixed,
            Input("town", "BYTES", [2, 1], contents => contents.BytesContents.AddRange([ByteString.CopyFromUtf8("york"), ByteString.Empty])),
            Input("age", "FP64", [2], contents => contents.Fp64Contents.AddRange([1.5, double.NaN])));

        Assert.Equal(2, request.RowCount);
        Assert.Equal(["york", ""], request.Columns[0].Texts);
        Assert.Equal([1.5, double.NaN], request.Columns[1].Numbers);
    }

    [Fact]
    public void Truths_are_texts()
    {
        var request = Read(s_mixed,
            Input("town", "BOOL", [2], contents => contents.BoolContents.AddRange([true, false])), Input("age", "FP64", [2], contents => contents.Fp64Contents.AddRange([1, 2])));
        Assert.Equal(["true", "false"], request.Columns.Single(column => column.Name == "town").Texts);
    }

    [Fact]
    public void Numbers_of_every_datatype_are_the_same_typed_and_raw()
    {
        foreach (var (input, raw) in new (InferInputTensor, byte[])[]
        {
            (Input("input", "FP32", [1, 2], contents => contents.Fp32Contents.AddRange([1, 2])), Bytes<float>([1, 2])),
            (Input("input", "FP64", [1, 2], contents => contents.Fp64Contents.AddRange([1, 2])), Bytes<double>([1, 2])),
            (Input("input", "INT64", [1, 2], contents => contents.Int64Contents.AddRange([1, 2])), Bytes<long>([1, 2])),
            (Input("input", "INT32", [1, 2], contents => contents.IntContents.AddRange([1, 2])), Bytes<int>([1, 2])),
            (Input("input", "INT16", [1, 2], contents => contents.IntContents.AddRange([1, 2])), Bytes<short>([1, 2])),
            (Input("input", "INT8", [1, 2], contents => contents.IntContents.AddRange([1, 2])), Bytes<sbyte>([1, 2])),
            (Input("input", "UINT64", [1, 2], contents => contents.Uint64Contents.AddRange([1, 2])), Bytes<ulong>([1, 2])),
            (Input("input", "UINT32", [1, 2], contents => contents.UintContents.AddRange([1, 2])), Bytes<uint>([1, 2])),
            (Input("input", "UINT16", [1, 2], contents => contents.UintContents.AddRange([1, 2])), Bytes<ushort>([1, 2])),
            (Input("input", "UINT8", [1, 2], contents => contents.UintContents.AddRange([1, 2])), Bytes<byte>([1, 2])),
        })
        {
            Assert.Equal([1f, 2], Read(s_numbers, input).Rows);
            var bare = input.Clone();
            bare.Contents = null;
            Assert.Equal([1f, 2], Read(s_numbers, new ModelInferRequest { Inputs = { bare }, RawInputContents = { ByteString.CopyFrom(raw) } }).Rows);
        }
    }

    [Fact]
    public void All_of_a_row_is_one_input_also_where_a_column_has_its_name()
    {
        var model = Table(new("a", ServedColumn.Number), new("input", ServedColumn.Number));
        var rows = Input("input", "FP32", [1, 2], contents => contents.Fp32Contents.AddRange([1, 2]));
        InferInputTensor[] columns = [.. model.Columns.Select(column => Input(column.Name, "FP32", [1], contents => contents.Fp32Contents.Add(1)))];

        Assert.Equal([1f, 2], Read(model, rows).Rows);
        Assert.Equal(2, Read(model, columns).Columns.Length);
    }

    [Theory]
    [InlineData("INT8", 300, "inputs[0] has int_contents outside of INT8.")]
    [InlineData("BOOL", 1, "The input has the datatype \"BOOL\": this model takes FP32, and converts FP64, FP16, INT64, INT32, INT16, INT8, UINT64, UINT32, UINT16, UINT8.")]
    [InlineData("FP16", 1, "inputs[0] is FP16, which has no typed contents: send it in raw_input_contents.")]
    public void What_is_no_number_of_the_datatype_is_told(string datatype, int number, string message) => Assert.Equal(
        message, Assert.Throws<HttpError>(() => Read(s_numbers, Input("input", datatype, [1, 2], contents => contents.IntContents.AddRange([number, 1])))).Message);

    [Fact]
    public void What_lacks_is_told()
    {
        Assert.Equal("The request has no inputs: it needs one for each column: \"age\", \"town\".", Error(s_mixed, new ModelInferRequest()));
        Assert.Equal(
            "raw_input_contents has 2 elements, and there are 1 inputs: it has one for each, or none.",
            Error(s_numbers, new ModelInferRequest { Inputs = { new InferInputTensor { Name = "input" } }, RawInputContents = { ByteString.Empty, ByteString.Empty } }));
        Assert.Equal(
            "The input has 12 bytes of contents, and its shape and datatype need 8: they must agree.",
            Error(s_numbers, new ModelInferRequest { Inputs = { new InferInputTensor { Name = "input", Datatype = "FP32", Shape = { 1, 2 } } }, RawInputContents = { ByteString.CopyFrom(new byte[12]) } }));
        Assert.Equal(
            "inputs[0]'s parameter \"shared_memory_region\" is unknown: a tensor takes none here.",
            Error(s_numbers, new ModelInferRequest { Inputs = { new InferInputTensor { Parameters = { ["shared_memory_region"] = new InferParameter { StringParam = "x" } } } } }));
    }

    private static ServedModel Table(params ServedColumn[] columns) => ServedModels.Of([columns.Length], ["no", "yes"], 3) with { Columns = [.. columns] };

    private static Serving.Inference.InferRequest Read(ServedModel model, params InferInputTensor[] inputs) => Read(model, new ModelInferRequest { Inputs = { inputs } });

    private static Serving.Inference.InferRequest Read(ServedModel model, ModelInferRequest request) => new RpcRequestReader(model, new HttpSettings(), request, _ => { }).Read();

    private static string Error(ServedModel model, ModelInferRequest request) => Assert.Throws<HttpError>(() => Read(model, request)).Message;

    private static InferInputTensor Input(string name, string datatype, long[] shape, Action<InferTensorContents> fill)
    {
        var input = new InferInputTensor { Name = name, Datatype = datatype, Shape = { shape }, Contents = new InferTensorContents() };
        fill(input.Contents);
        return input;
    }

    private static byte[] Bytes<T>(T[] numbers) where T : unmanaged => MemoryMarshal.AsBytes(numbers.AsSpan()).ToArray();
}
