using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Serving.Inference;
using Microsoft.AspNetCore.Http;

namespace DistributedEnsemble.Serving.Tests;

public sealed class InferResponseTests
{
    private static readonly ServedModel s_model = ServedModels.Of([2], ["no", "ja"], 3);

    private static readonly Prediction s_prediction = Predicted([0.25f, 0.75f, 1f, 0f], ["ja", "no"], [1, 0], [0.5f, 0f], [0.125f, 0f]) with
    {
        MembersUsed = [0, 2],
        Members = [Alone(0.75, [0f, 1f, 1f, 0f]), Alone(0.25, [0.5f, 0.5f, 1f, 0f])],
    };

    public static TheoryData<string, bool> Outputs => [.. OutputTensor.Of(s_model).SelectMany(tensor => new[] { (tensor.Name, false), (tensor.Name, true) })];

    [Fact]
    public async Task Outputs_are_json_by_default()
    {
        var (response, body, jsonLength) = await AnswerAsync([("probabilities", false), ("label", false), ("members_used", false)], id: "7");

        Assert.Null(jsonLength);
        Assert.Equal(("application/json", body.Length), (response.ContentType, response.ContentLength));
        Assert.Equal(
            """
            {"model_name":"r","model_version":"1","id":"7","parameters":{"members_used":2,"members":3,"constituents":4},"outputs":[{"name":"probabilities","datatype":"FP32","shape":[2,2],"data":[0.25,0.75,1,0]},{"name":"label","datatype":"BYTES","shape":[2],"data":["ja","no"]},{"name":"members_used","datatype":"INT64","shape":[2],"data":[2,2]}]}
            """.Trim(),
            Encoding.UTF8.GetString(body));
    }

    [Fact]
    public async Task Binary_outputs_follow_the_json_in_its_order()
    {
        var (response, body, jsonLength) = await AnswerAsync([("label", true), ("entropy", false), ("label_index", true), ("probabilities", true)]);

        var json = Encoding.UTF8.GetString(body.AsSpan(0, jsonLength!.Value));
        Assert.Equal(("application/octet-stream", body.Length), (response.ContentType, response.ContentLength));
        Assert.Equal(
            """
            {"model_name":"r","model_version":"1","parameters":{"members_used":2,"members":3,"constituents":4},"outputs":[{"name":"label","datatype":"BYTES","shape":[2],"parameters":{"binary_data_size":12}},{"name":"entropy","datatype":"FP32","shape":[2],"data":[0.5,0]},{"name":"label_index","datatype":"INT64","shape":[2],"parameters":{"binary_data_size":16}},{"name":"probabilities","datatype":"FP32","shape":[2,2],"parameters":{"binary_data_size":16}}]}
            """.Trim(),
            json);
        byte[] golden =
        [
            2, 0, 0, 0, (byte)'j', (byte)'a', 2, 0, 0, 0, (byte)'n', (byte)'o',
            1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0x00, 0x00, 0x80, 0x3e, 0x00, 0x00, 0x40, 0x3f, 0x00, 0x00, 0x80, 0x3f, 0x00, 0x00, 0x00, 0x00,
        ];
        Assert.Equal(golden, body[jsonLength.Value..]);
    }

    [Fact]
    public void A_regression_answers_with_its_mean_by_default_and_with_each_member_s()
    {
        var outputs = OutputTensor.Of(ServedModels.Of([2], new Training.Tasks.Regression(0, 1, -1, 1), 3));

        Assert.Equal(
            ["mean", "standard_deviation", "aleatoric", "epistemic", "lower", "upper", "members_used", "member_mean", "member_standard_deviation", "member_weight"], outputs.Select(output => output.Name));
        Assert.Equal([-1L], outputs[0].Shape());
        Assert.Equal([-1L, -1], outputs[^1].Shape());
    }

    [Fact]
    public async Task The_members_probabilities_stand_row_by_row()
    {
        var (_, body, _) = await AnswerAsync([("member_probabilities", false)]);

        Assert.Contains("\"shape\":[2,2,2],\"data\":[0,1,0.5,0.5,1,0,1,0]", Encoding.UTF8.GetString(body), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_members_shares_of_the_average_stand_in_each_row()
    {
        var (_, json, _) = await AnswerAsync([("member_weight", false)]);
        var (_, binary, jsonLength) = await AnswerAsync([("member_weight", true)]);

        Assert.Contains("\"shape\":[2,2],\"data\":[0.75,0.25,0.75,0.25]", Encoding.UTF8.GetString(json), StringComparison.Ordinal);
        Assert.Equal([0.75f, 0.25f, 0.75f, 0.25f], MemoryMarshal.Cast<byte, float>(binary.AsSpan(jsonLength!.Value)).ToArray());
    }

    [Theory, MemberData(nameof(Outputs))]
    public async Task No_answer_is_longer_than_was_said_before_it_was_computed(string output, bool isBinary)
    {
        string[] classes = ["\u0001\u0001\u0001\"\\", "ÄÖÜ日本語"];
        float[] worst = [-1.17549435E-38f, -3.40282347E+38f];
        var model = ServedModels.Of([2], classes, 3);
        var prediction = Predicted([.. worst, .. worst], [classes[0], classes[1]], [long.MaxValue, long.MinValue], worst, worst) with
        {
            MembersUsed = [0, 1, 2], Members = [.. Enumerable.Repeat(Alone(worst[0], [.. worst, .. worst]), 3)],
        };
        var response = new InferResponse("r", model, Request([(output, isBinary)], "\u0001\u0001"));

        var (_, body, _) = await WriteAsync(response, prediction);

        Assert.InRange(body.Length, 1, response.MostBytes);
    }

    [Theory]
    [InlineData(false, null)]
    [InlineData(true, null)]
    [InlineData(false, "gzip")]
    [InlineData(true, "deflate")]
    public async Task A_long_answer_is_written_piece_by_piece_and_whole(bool isBinary, string? coding)
    {
        const int Rows = 20_000;
        var prediction = Predicted([.. Enumerable.Range(0, 2 * Rows).Select(i => 1f / (i + 1))], [.. Enumerable.Repeat("ja", Rows)], [], [], []) with { MembersUsed = [0] };
        var (response, body, jsonLength) = await WriteAsync(
            new InferResponse("r", s_model, Request([("probabilities", isBinary)], null) with { RowCount = Rows }), prediction, coding);

        Assert.Equal(coding ?? "", response.Headers.ContentEncoding.ToString());
        Assert.Equal(isBinary && coding is null, response.ContentLength is not null);
        if (coding is not null) body = Unpacked(body, coding);
        var values = isBinary
            ? MemoryMarshal.Cast<byte, float>(body.AsSpan(jsonLength!.Value)).ToArray()
            : [.. JsonElement.Parse(body).GetProperty("outputs")[0].GetProperty("data").EnumerateArray().Select(value => value.GetSingle())];
        Assert.Equal(prediction["probabilities"].Numbers, values);
    }

    private static Prediction Predicted(float[] probabilities, string[] labels, long[] indices, float[] entropies, float[] disagreement) => new(
        labels.Length,
        [
            new("probabilities") { Numbers = [.. probabilities] }, new("label") { Texts = [.. labels] }, new("label_index") { Integers = [.. indices] },
            new("entropy") { Numbers = [.. entropies] }, new("mutual_information") { Numbers = [.. disagreement] },
        ],
        4);

    private static MemberPrediction Alone(double weight, float[] probabilities) => new(weight, [new OutputValues("probabilities") { Numbers = [.. probabilities] }]);

    private static byte[] Unpacked(byte[] body, string coding)
    {
        using Stream stream = coding == "gzip"
            ? new GZipStream(new MemoryStream(body), CompressionMode.Decompress)
            : new ZLibStream(new MemoryStream(body), CompressionMode.Decompress);
        var unpacked = new MemoryStream();
        stream.CopyTo(unpacked);
        return unpacked.ToArray();
    }

    private static Task<(HttpResponse Response, byte[] Body, int? JsonLength)> AnswerAsync(IEnumerable<(string Name, bool IsBinary)> outputs, string? id = null) =>
        WriteAsync(new InferResponse("r", s_model, Request(outputs, id)), s_prediction);

    private static async Task<(HttpResponse Response, byte[] Body, int? JsonLength)> WriteAsync(InferResponse response, Prediction prediction, string? accepted = null)
    {
        var body = new MemoryStream();
        var context = new DefaultHttpContext { Response = { Body = body } };
        context.Request.Headers.AcceptEncoding = accepted;
        await response.WriteAsync(context, prediction, TestContext.Current.CancellationToken);
        var length = context.Response.Headers["Inference-Header-Content-Length"];
        return (context.Response, body.ToArray(), length.Count == 0 ? null : int.Parse(length.ToString()));
    }

    private static InferRequest Request(IEnumerable<(string Name, bool IsBinary)> outputs, string? id) => new()
    {
        Id = id,
        Rows = [],
        RowCount = 2,
        Parameters = new InferParameters(),
        Outputs = [.. outputs.Select(output => new RequestedOutput(OutputTensor.Of(s_model).First(tensor => tensor.Name == output.Name), output.IsBinary))],
    };
}
