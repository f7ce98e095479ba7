using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace DistributedEnsemble.Silo.Http;

/// <summary>A prediction as the Open Inference Protocol v2 answers it: JSON, and behind it the outputs that were asked for in binary.</summary>
internal sealed class InferResponse
{
    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ArrayBufferWriter<byte> _body = new(1024);

    private InferResponse()
    {
    }

    /// <summary>Of the body; null if all of it is JSON.</summary>
    public int? JsonLength { get; private set; }

    public ReadOnlyMemory<byte> Body => _body.WrittenMemory;

    public string ContentType => JsonLength is null ? "application/json" : "application/octet-stream";

    public static InferResponse Of(string model, ServedModel served, InferRequest request, Prediction prediction)
    {
        var response = new InferResponse();
        var buffers = new List<byte[]>();
        using (var json = new Utf8JsonWriter(response._body, s_json))
        {
            json.WriteStartObject();
            json.WriteString("model_name", model);
            json.WriteString("model_version", ModelMetadata.Version);
            if (request.Id is not null) json.WriteString("id", request.Id);
            json.WriteStartObject("parameters");
            json.WriteNumber("members_used", prediction.MembersUsed.Length);
            json.WriteNumber("members", served.Members);
            json.WriteNumber("constituents", prediction.Constituents);
            json.WriteEndObject();
            json.WriteStartArray("outputs");
            foreach (var output in request.Outputs) Write(json, output, prediction, buffers);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        if (buffers.Count == 0) return response;
        response.JsonLength = response._body.WrittenCount;
        foreach (var buffer in buffers) response._body.Write(buffer);
        return response;
    }

    private static void Write(Utf8JsonWriter json, RequestedOutput output, Prediction prediction, List<byte[]> buffers)
    {
        json.WriteStartObject();
        json.WriteString("name", output.Tensor.Name);
        json.WriteString("datatype", output.Tensor.Datatype);
        json.WriteStartArray("shape");
        foreach (var size in output.Tensor.Shape(prediction)) json.WriteNumberValue(size);
        json.WriteEndArray();
        if (output.IsBinary)
        {
            var buffer = output.Tensor.ToBytes(prediction);
            buffers.Add(buffer);
            json.WriteStartObject("parameters");
            json.WriteNumber("binary_data_size", buffer.Length);
            json.WriteEndObject();
        }
        else
        {
            json.WriteStartArray("data");
            output.Tensor.WriteJson(json, prediction);
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }
}
