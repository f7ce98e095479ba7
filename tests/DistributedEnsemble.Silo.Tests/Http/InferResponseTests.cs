using System.Collections.Immutable;
using System.Text;
using DistributedEnsemble.Silo.Http;

namespace DistributedEnsemble.Silo.Tests.Http;

public sealed class InferResponseTests
{
    private static readonly ServedModel s_model = new([2], ["no", "ja"], 3);

    private static readonly Prediction s_prediction = new(["no", "ja"], [0.25f, 0.75f, 1f, 0f], ["ja", "no"], 4)
    {
        LabelIndices = [1, 0],
        Entropies = [0.5f, 0f],
        MutualInformation = [0.125f, 0f],
        MembersUsed = [0, 2],
        MemberProbabilities = [[0f, 1f, 1f, 0f], [0.5f, 0.5f, 1f, 0f]],
    };

    [Fact]
    public void Outputs_are_json_by_default()
    {
        var response = Of([("probabilities", false), ("label", false), ("members_used", false)], id: "7");

        Assert.Null(response.JsonLength);
        Assert.Equal("application/json", response.ContentType);
        Assert.Equal(
            """
            {"model_name":"r","model_version":"1","id":"7","parameters":{"members_used":2,"members":3,"constituents":4},"outputs":[{"name":"probabilities","datatype":"FP32","shape":[2,2],"data":[0.25,0.75,1,0]},{"name":"label","datatype":"BYTES","shape":[2],"data":["ja","no"]},{"name":"members_used","datatype":"INT64","shape":[2],"data":[2,2]}]}
            """.Trim(),
            Encoding.UTF8.GetString(response.Body.Span));
    }

    [Fact]
    public void Binary_outputs_follow_the_json_in_its_order()
    {
        var response = Of([("label", true), ("entropy", false), ("label_index", true), ("probabilities", true)]);

        var json = Encoding.UTF8.GetString(response.Body.Span[..response.JsonLength!.Value]);
        Assert.Equal("application/octet-stream", response.ContentType);
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
        Assert.Equal(golden, response.Body[response.JsonLength.Value..].ToArray());
    }

    [Fact]
    public void The_members_probabilities_stand_row_by_row()
    {
        var body = Encoding.UTF8.GetString(Of([("member_probabilities", false)]).Body.Span);

        Assert.Contains("\"shape\":[2,2,2],\"data\":[0,1,0.5,0.5,1,0,1,0]", body, StringComparison.Ordinal);
    }

    private static InferResponse Of(IEnumerable<(string Name, bool IsBinary)> outputs, string? id = null) => InferResponse.Of(
        "r", s_model,
        new InferRequest
        {
            Id = id,
            Rows = [],
            RowCount = 2,
            Parameters = new InferParameters(),
            Outputs = [.. outputs.Select(output => new RequestedOutput(OutputTensor.All.First(tensor => tensor.Name == output.Name), output.IsBinary))],
        },
        s_prediction);
}
