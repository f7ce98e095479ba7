using System.Runtime.InteropServices;
using System.Text;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Serving.Inference;
using DistributedEnsemble.Specs;

namespace DistributedEnsemble.Serving.Tests;

public sealed class InferRequestReaderTests
{
    private static readonly ServedModel s_flat = ServedModels.Of([2], ["a", "b", "c"], 4), s_image = ServedModels.Of([1, 2, 2], ["a", "b"], 4);
    private static readonly HttpSettings s_limits = new() { MaxRows = 100 };

    [Theory]
    [InlineData("""{"inputs":[{"name":"input","shape":[2,2],"datatype":"FP32","data":[1,2.5,-3e2,4]}]}""")]
    [InlineData("""{"inputs":[{"name":"input","shape":[2,2],"datatype":"FP32","data":[[1,2.5],[-300,4]]}]}""")]
    [InlineData("""{"inputs":[{"data":[1,2.5,-300.0,4],"datatype":"FP32","shape":[2,2],"name":"input"}],"unknown":{"x":[1]}}""")]
    public void Numbers_are_read_flat_or_nested_and_in_any_order_of_keys(string json)
    {
        var request = Read(json);

        Assert.Equal([1f, 2.5f, -300f, 4f], request.Rows);
        Assert.Equal(2, request.RowCount);
        Assert.Null(request.Id);
        Assert.Equal([new RequestedOutput(OutputTensor.Of(s_flat)[0], false)], request.Outputs);
    }

    [Fact]
    public void The_shape_of_an_image_may_be_nested()
    {
        var request = Read("""{"inputs":[{"name":"input","shape":[1,1,2,2],"datatype":"FP32","data":[[[[1,2],[3,4]]]]}]}""", s_image);

        Assert.Equal([1f, 2f, 3f, 4f], request.Rows);
    }

    [Fact]
    public void Parameters_and_outputs_are_read()
    {
        var request = Read("""
            {"id":"42","parameters":{"from":"ema","select":"last:2","members":3,"monte_carlo_samples":7,"calibrated":true,"binary_data_output":true,"timeout":2000,"priority":1},
             "inputs":[{"name":"input","shape":[1,2],"datatype":"FP32","data":[1,2]}],
             "outputs":[{"name":"label"},{"name":"entropy","parameters":{"binary_data":false}}]}
            """);

        Assert.Equal("42", request.Id);
        Assert.Equal(new ConstituentChoice(PredictionSource.Ema, "last:2", 3, 7), request.Parameters.Choice);
        Assert.True(request.Parameters.Calibrated);
        Assert.Equal(TimeSpan.FromMilliseconds(2), request.Parameters.Timeout);
        Assert.Equal([("label", true), ("entropy", false)], request.Outputs.Select(output => (output.Tensor.Name, output.IsBinary)));
    }

    [Fact]
    public void The_binary_extension_s_bytes_are_read()
    {
        // The specification's form: JSON, then 1.0, −2.0 as little-endian float32.
        const string Json = """{"inputs":[{"name":"input","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}],"outputs":[]}""";
        byte[] numbers = [0x00, 0x00, 0x80, 0x3f, 0x00, 0x00, 0x00, 0xc0];

        var request = InferRequestReader.Read(s_flat, s_limits, (byte[])[.. Encoding.UTF8.GetBytes(Json), .. numbers], Json.Length);

        Assert.Equal([1f, -2f], request.Rows);
    }

    [Theory]
    [InlineData("", "The request is not JSON at line 1, byte 1: ")]
    [InlineData("[]", "The request must be an object.")]
    [InlineData("{", "The request is not JSON at line 1, byte 2: ")]
    [InlineData("{} x", "The request is not JSON at line 1, byte 4: ")]
    [InlineData("{}", "The request has no inputs: it needs one, \"input\", of the shape [rows, 2].")]
    [InlineData("""{"inputs":[]}""", "The request has no inputs: it needs one, \"input\", of the shape [rows, 2].")]
    [InlineData("""{"inputs":[INPUT,INPUT]}""", "The request has more than one input: this model takes one, \"input\", of the shape [rows, 2].")]
    [InlineData("""{"inputs":[{"name":"a","shape":[1,1],"datatype":"FP64","data":[1]},{"name":"b","shape":[1,1],"datatype":"FP64","data":[2]}]}""", "The request has more than one input: this model takes one, \"input\", of the shape [rows, 2].")]
    [InlineData("""{"inputs":[{"name":"a","shape":[1,1],"datatype":"FP32","parameters":{"binary_data_size":4}},{"name":"b","shape":[1,1],"datatype":"FP32","parameters":{"binary_data_size":4}}]}""", "The request has more than one input: this model takes one, \"input\", of the shape [rows, 2].")]
    [InlineData("""{"inputs":[{"name":"input","shape":[1,2],"datatype":"BYTES","data":["1","2"]}]}""", "The input has the datatype \"BYTES\": this model takes FP32, and converts FP64, FP16, INT64, INT32, INT16, INT8, UINT64, UINT32, UINT16, UINT8.")]
    [InlineData("""{"inputs":[{"name":"input","shape":[1,2],"data":[1,2]}]}""", "The input has the datatype null: this model takes FP32")]
    [InlineData("""{"inputs":[{"name":"input","shape":[1,2],"datatype":"FP64","data":[1,-1e39]}]}""", "Element 1 of inputs[0].data is -1e39: it is outside of float32.")]
    [InlineData("""{"inputs":[{"name":"input","shape":[1,2],"datatype":"INT64","data":[1,1.5]}]}""", "Element 1 of inputs[0].data is 1.5: it is no INT64.")]
    [InlineData("""{"inputs":[{"name":"input","datatype":"FP32","data":[1,2]}]}""", "The input has no shape: it is [rows, 2].")]
    [InlineData("""{"inputs":[{"name":"input","shape":[1,3],"datatype":"FP32","data":[1,2,3]}]}""", "The input has the shape [1, 3]: it must be [rows, 2].")]
    [InlineData("""{"inputs":[{"name":"input","shape":[2],"datatype":"FP32","data":[1,2]}]}""", "The input has the shape [2]: it must be [rows, 2].")]
    [InlineData("""{"inputs":[{"name":"input","shape":[0,2],"datatype":"FP32","data":[]}]}""", "The input has 0 rows: it needs at least one.")]
    [InlineData("""{"inputs":[{"name":"input","shape":[-1,2],"datatype":"FP32","data":[]}]}""", "The input has -1 rows: it needs at least one.")]
    [InlineData("""{"inputs":[{"name":"input","shape":[101,2],"datatype":"FP32","data":[]}]}""", "The input has 101 rows: one request takes up to 100.")]
    [InlineData("""{"inputs":[{"name":"input","shape":[9223372036854775807,2],"datatype":"FP32","data":[]}]}""", "The input has 9223372036854775807 rows: one request takes up to 100.")]
    [InlineData("""{"inputs":[{"name":"input","shape":[90,2],"datatype":"FP32","data":[1,2]}]}""", "The shape [90, 2] has 180 numbers, and the request has not so many.")]
    [InlineData("""{"inputs":[{"name":"input","shape":[1.5,2],"datatype":"FP32","data":[1,2]}]}""", "inputs[0].shape must be up to 8 whole numbers.")]
    [InlineData("""{"inputs":[{"name":"input","shape":[1,2],"datatype":"FP32"}]}""", "The input has no data: it needs its numbers, row after row.")]
    [InlineData("""{"inputs":[{"name":"input","shape":[1,2],"datatype":"FP32","data":[1]}]}""", "inputs[0].data has 1 numbers, and its shape [1, 2] has 2.")]
    [InlineData("""{"inputs":[{"name":"input","shape":[1,2],"datatype":"FP32","data":[1,2,3]}]}""", "inputs[0].data has more than the 2 numbers of its shape.")]
    [InlineData("""{"inputs":[{"name":"input","shape":[1,2],"datatype":"FP32","data":[[1],[2]]}]}""", "inputs[0].data is not nested as its shape [1, 2] says.")]
    [InlineData("""{"inputs":[{"name":"input","shape":[1,2],"datatype":"FP32","data":[[1,2],3]}]}""", "inputs[0].data is not nested as its shape [1, 2] says.")]
    [InlineData("""{"inputs":[{"name":"input","shape":[1,2],"datatype":"FP32","data":[1,"2"]}]}""", "Element 1 of inputs[0].data is not a number.")]
    [InlineData("""{"inputs":[{"name":"input","shape":[1,2],"datatype":"FP32","data":[1,1e39]}]}""", "Element 1 of inputs[0].data is 1e39: it is outside of float32.")]
    [InlineData("""{"inputs":[{"name":"input","shape":[1,2],"datatype":"FP32","data":[1,NaN]}]}""", "The request is not JSON at line 1, byte 70: ")]
    [InlineData("""{"inputs":[{"name":"input","shape":[1,2],"datatype":"FP32","data":[1,2],"parameters":{"binary_data_size":8}}]}""", "The input has data and binary_data_size: its numbers are in the JSON or behind it, not both.")]
    [InlineData("""{"inputs":[{"name":"input","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}]}""", "The input has a binary_data_size, and the header Inference-Header-Content-Length is missing: it says how many bytes of the body are JSON.")]
    [InlineData("""{"inputs":[INPUT],"outputs":[{"name":"x"}]}""", "The model has no output \"x\": it has probabilities, label, label_index, entropy, mutual_information, members_used, member_probabilities, member_weight.")]
    [InlineData("""{"inputs":[INPUT],"outputs":[{"name":"label"},{"name":"label"}]}""", "The output \"label\" is asked for twice: once is enough.")]
    [InlineData("""{"inputs":[INPUT],"parameters":{"member":3}}""", "parameters.member is unknown: there are from, select, members, monte_carlo_samples, calibrated, coverage, early_exit, binary_data_output and timeout.")]
    [InlineData("""{"inputs":[INPUT],"parameters":{"members":0}}""", "parameters.members is 0: it must be a whole number from 1 to 2147483647.")]
    [InlineData("""{"inputs":[INPUT],"parameters":{"monte_carlo_samples":1001}}""", "parameters.monte_carlo_samples is 1001: it must be a whole number from 0 to 1000.")]
    [InlineData("""{"inputs":[INPUT],"parameters":{"from":"last"}}""", "parameters.from is \"last\": it must be final, snapshots or ema.")]
    [InlineData("""{"inputs":[INPUT],"parameters":{"early_exit":-0.5}}""", "parameters.early_exit is -0.5: it must be a number from 0, which asks all members, and below 1.")]
    [InlineData("""{"inputs":[INPUT],"parameters":{"early_exit":"\u001b[31m0.1"}}""", "parameters.early_exit is \"[31m0.1\": it must be a number from 0, which asks all members, and below 1.")]
    [InlineData("""{"inputs":[INPUT],"parameters":{"coverage":90}}""", "parameters.coverage is 90: it must be a number above 0 and below 1.")]
    [InlineData("""{"inputs":[INPUT],"parameters":{"timeout":[1]}}""", "parameters.timeout is an array: it must be a whole number from 1 to 2147483647.")]
    [InlineData("""{"inputs":[INPUT],"parameters":{"calibrated":{}}}""", "parameters.calibrated is an object: it must be true or false.")]
    [InlineData("""{"inputs":[INPUT],"parameters":{"from":3}}""", "parameters.from is 3: it must be a text.")]
    [InlineData("""{"inputs":[INPUT],"parameters":{"calibrated":1}}""", "parameters.calibrated is 1: it must be true or false.")]
    [InlineData("""{"inputs":[INPUT],"parameters":{"select":"last:00000000000000000000000000001"}}""", "parameters.select is \"last:00000000000000000000000000001\": it must be all, last:N or greedy.")]
    [InlineData("""{"inputs":[INPUT],"parameters":{},"parameters":{"members":1}}""", "parameters is given twice: keep one of the two.")]
    [InlineData("""{"inputs":[INPUT],"outputs":[{"name":"label"}],"outputs":[{"name":"entropy"}]}""", "outputs is given twice: keep one of the two.")]
    [InlineData("""{"inputs":[INPUT],"inputs":[INPUT]}""", "inputs is given twice: keep one of the two.")]
    [InlineData("""{"inputs":[{"name":"input","shape":[1,2],"datatype":"FP32","data":[1,2],"shape":[2,1]}]}""", "inputs[0].shape is given twice: keep one of the two.")]
    [InlineData("""{"inputs":[{"name":"input","shape":[1,2],"datatype":"FP32","data":[1,2],"parameters":{"shared_memory_region":"x"}}]}""", "inputs[0].parameters.shared_memory_region is unknown: there is binary_data_size.")]
    [InlineData("""{"inputs":[INPUT],"outputs":[{"name":"label","parameters":{"binary":true}}]}""", "An output's parameter \"binary\" is unknown: there is binary_data.")]
    [InlineData("""{"inputs":[INPUT],"id":"\ud800"}""", "The request is not JSON: a text in it is not Unicode.")]
    [InlineData("""{"x":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]}""", "The request is not JSON at line 1, byte 21: ")]
    public void What_is_wrong_is_said_in_one_line(string json, string message)
    {
        var error = Assert.Throws<HttpError>(() => Read(json.Replace("INPUT", """{"name":"input","shape":[1,2],"datatype":"FP32","data":[1,2]}""")));

        Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.Equal(message.Contains("one request takes", StringComparison.Ordinal) ? 413 : 400, error.Status);
    }

    [Theory]
    [InlineData("{\"parameters\":{\"members\":LONG}}", "parameters.members is 1111")]
    [InlineData("{\"parameters\":{\"members\":\"LONG\"}}", "parameters.members is a text of 4194304 bytes: it must be a whole number from 1 to 2147483647.")]
    [InlineData("{\"parameters\":{\"LONG\":1}}", "parameters.1111")]
    [InlineData("{\"parameters\":{\"from\":\"LONG\"}}", "parameters.from is a text of 4194304 bytes: it has up to 65536.")]
    [InlineData("{\"id\":LONG}", "id is 1111")]
    [InlineData("{\"inputs\":[{\"name\":\"LONG\"}]}", "inputs[0].name is a text of 4194304 bytes: it has up to 65536.")]
    public void What_is_refused_is_not_copied_to_be_shown(string json, string message)
    {
        var body = Encoding.UTF8.GetBytes(json.Replace("LONG", new string('1', 4 << 20)));
        var before = GC.GetAllocatedBytesForCurrentThread();

        var error = Assert.Throws<HttpError>(() => InferRequestReader.Read(s_flat, s_limits, body, null));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
        Assert.InRange(error.Message.Length, 0, 400);
    }

    [Theory]
    [InlineData(float.NaN, "Number 1 of the input is NaN as float32: rows hold finite numbers only.")]
    [InlineData(float.NegativeInfinity, "Number 1 of the input is -Infinity as float32: rows hold finite numbers only.")]
    public void Binary_numbers_must_be_finite(float number, string message)
    {
        const string Json = """{"inputs":[{"name":"input","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}]}""";
        byte[] body = [.. Encoding.UTF8.GetBytes(Json), .. MemoryMarshal.AsBytes<float>([1, number])];

        Assert.Equal(message, Assert.Throws<HttpError>(() => InferRequestReader.Read(s_flat, s_limits, body, Json.Length)).Message);
    }

    public static TheoryData<string, byte[]> Converted => new()
    {
        { "FP64", [.. BitConverter.GetBytes(1.0), .. BitConverter.GetBytes(-2.0)] },
        { "FP16", [.. BitConverter.GetBytes((Half)1), .. BitConverter.GetBytes((Half)(-2))] },
        { "INT64", [.. BitConverter.GetBytes(1L), .. BitConverter.GetBytes(-2L)] },
        { "INT32", [.. BitConverter.GetBytes(1), .. BitConverter.GetBytes(-2)] },
        { "INT16", [1, 0, 0xfe, 0xff] },
        { "INT8", [1, 0xfe] },
    };

    [Theory, MemberData(nameof(Converted))]
    public void Other_types_of_numbers_are_converted(string type, byte[] numbers)
    {
        var json = BinaryJson(type, numbers.Length);

        var binary = InferRequestReader.Read(s_flat, s_limits, (byte[])[.. Encoding.UTF8.GetBytes(json), .. numbers], json.Length);
        var text = Read($$"""{"inputs":[{"name":"input","shape":[1,2],"datatype":"{{type}}","data":[1,-2]}]}""");

        Assert.Equal([1f, -2f], binary.Rows);
        Assert.Equal([1f, -2f], text.Rows);
    }

    [Theory]
    [InlineData("UINT8", new byte[] { 200, 3 }, new[] { 200f, 3f })]
    [InlineData("UINT16", new byte[] { 0xff, 0xff, 3, 0 }, new[] { 65535f, 3f })]
    [InlineData("UINT32", new byte[] { 0, 0, 0, 0x80, 3, 0, 0, 0 }, new[] { 2147483648f, 3f })]
    [InlineData("UINT64", new byte[] { 0, 0, 0, 0, 0, 0, 0, 0x80, 3, 0, 0, 0, 0, 0, 0, 0 }, new[] { 9223372036854775808f, 3f })]
    [InlineData("INT64", new byte[] { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 3, 0, 0, 0, 0, 0, 0, 0 }, new[] { 9223372036854775807f, 3f })]
    public void Whole_numbers_become_the_nearest_of_float32(string type, byte[] numbers, float[] rows)
    {
        var json = BinaryJson(type, numbers.Length);

        Assert.Equal(rows, InferRequestReader.Read(s_flat, s_limits, (byte[])[.. Encoding.UTF8.GetBytes(json), .. numbers], json.Length).Rows);
    }

    [Theory]
    [InlineData("FP64", new byte[] { 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x9c, 0x75, 0, 0x88, 0x3c, 0xe4, 0x37, 0x7e }, "∞")]
    [InlineData("FP16", new byte[] { 0, 0x3c, 0, 0x7e }, "NaN")]
    public void Numbers_outside_of_float32_are_refused(string type, byte[] numbers, string becomes)
    {
        var json = BinaryJson(type, numbers.Length);

        var error = Assert.Throws<HttpError>(() => InferRequestReader.Read(s_flat, s_limits, (byte[])[.. Encoding.UTF8.GetBytes(json), .. numbers], json.Length));

        Assert.Equal((400, $"Number 1 of the input is {becomes.Replace("∞", "Infinity")} as float32: rows hold finite numbers only."), (error.Status, error.Message));
    }

    [Theory]
    [InlineData("""{"id":null,"parameters":null,"outputs":null,"inputs":[{"name":"input","shape":[1,2],"datatype":"FP32","parameters":null,"data":[1,-2]}]}""")]
    [InlineData("""{"parameters":{"content_type":"np","headers":{},"from":null,"select":null,"members":null,"monte_carlo_samples":null,"calibrated":null,"binary_data_output":null,"timeout":null},"inputs":[{"name":"input","shape":[1,2],"datatype":"FP32","parameters":{"content_type":"np","binary_data_size":null},"data":[1,-2]}]}""")]
    [InlineData("""{"inputs":[{"name":"predict","shape":[1,2],"datatype":"FP32","data":[1,-2]}],"outputs":[{"name":"probabilities","parameters":null}]}""")]
    [InlineData("""{"inputs":[{"name":"input","shape":[1,2],"datatype":"FP32","data":[1,-2]}],"outputs":[{"name":"probabilities","parameters":{"classification":0,"binary_data":null,"content_type":null}}]}""")]
    public void What_clients_leave_open_or_say_for_others_is_harmless(string json)
    {
        var request = Read(json);

        Assert.Equal([1f, -2f], request.Rows);
        Assert.Equal((null, new InferParameters()), (request.Id, request.Parameters));
        Assert.Equal([new RequestedOutput(OutputTensor.Of(s_flat)[0], false)], request.Outputs);
    }

    [Fact]
    public void A_missing_header_is_named_whatever_follows_the_json()
    {
        const string Json = """{"inputs":[{"name":"input","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}]}""";
        byte[] body = [.. Encoding.UTF8.GetBytes(Json), .. MemoryMarshal.AsBytes<float>([1, 2])];

        var error = Assert.Throws<HttpError>(() => InferRequestReader.Read(s_flat, s_limits, body, null));

        Assert.Equal("The input has a binary_data_size, and the header Inference-Header-Content-Length is missing: it says how many bytes of the body are JSON.", error.Message);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1000)]
    public void The_length_of_the_json_lies_within_the_body(int length) => Assert.StartsWith(
        $"Inference-Header-Content-Length is {length}, and the body has 2 bytes",
        Assert.Throws<HttpError>(() => InferRequestReader.Read(s_flat, s_limits, "{}"u8.ToArray(), length)).Message, StringComparison.Ordinal);

    [Fact]
    public void Bytes_that_no_input_claims_are_refused()
    {
        const string Json = """{"inputs":[{"name":"input","shape":[1,2],"datatype":"FP32","data":[1,2]}]}""";
        byte[] body = [.. Encoding.UTF8.GetBytes(Json), 1, 2, 3];

        var error = Assert.Throws<HttpError>(() => InferRequestReader.Read(s_flat, s_limits, body, Json.Length));

        Assert.Equal("3 bytes follow the JSON, and no input has a binary_data_size.", error.Message);
    }

    private static string BinaryJson(string type, int size) =>
        """{"inputs":[{"name":"input","shape":[1,2],"datatype":"TYPE","parameters":{"binary_data_size":SIZE}}]}""".Replace("TYPE", type).Replace("SIZE", $"{size}");

    private static InferRequest Read(string json, ServedModel? model = null) =>
        InferRequestReader.Read(model ?? s_flat, s_limits, Encoding.UTF8.GetBytes(json), null);
}
