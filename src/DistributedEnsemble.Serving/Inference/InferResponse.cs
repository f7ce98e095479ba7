using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Serving.Answers;

namespace DistributedEnsemble.Serving.Inference;

/// <summary>
/// A prediction as the Open Inference Protocol v2 answers it: JSON, and behind it the outputs that were asked for in binary. Short
/// answers are sent whole, with their length; long ones row by row, in no more memory than the prediction itself.
/// </summary>
internal sealed class InferResponse(string name, ServedModel model, InferRequest request)
{
    /// <summary>Bytes that are gathered before they are sent.</summary>
    private const int Piece = 1 << 16;

    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly bool _isBinary = request.Outputs.Any(output => output.IsBinary);

    /// <summary>Bytes of the answer at most, known before anything is computed.</summary>
    public long MostBytes
    {
        get
        {
            const int AroundAll = 512, AroundOutput = 256;
            return AroundAll + 6L * (name.Length + (request.Id?.Length ?? 0))
                + request.Outputs.Sum(output => AroundOutput + request.RowCount * output.Tensor.MostBytes(model, output.IsBinary));
        }
    }

    /// <summary>What an answer says beside its outputs.</summary>
    public static IEnumerable<(string Name, int Value)> Parameters(ServedModel model, Prediction prediction) =>
        [("members_used", prediction.MembersUsed.Length), ("members", model.Members), ("constituents", prediction.Constituents)];

    public async Task WriteAsync(HttpContext context, Prediction prediction, CancellationToken cancellation)
    {
        var contentType = _isBinary ? "application/octet-stream" : HttpAnswer.Json;
        if (!_isBinary && MostBytes > Piece)
        {
            await HttpAnswer.StreamAsync(context, contentType, null, async writer =>
            {
                using var json = new Utf8JsonWriter(writer, s_json);
                await WriteJsonAsync(json, prediction, Flush);
                json.Flush();
                await writer.FlushAsync(cancellation);

                async ValueTask Flush()
                {
                    if (json.BytesPending + writer.UnflushedBytes < Piece) return;
                    json.Flush();
                    await writer.FlushAsync(cancellation);
                }
            });
            return;
        }

        // Behind JSON come numbers only if a header says how long it is.
        var head = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(head, s_json)) await WriteJsonAsync(json, prediction, () => ValueTask.CompletedTask);
        if (!_isBinary)
        {
            await HttpAnswer.WriteAsync(context, contentType, head.WrittenMemory, cancellation);
            return;
        }

        context.Response.Headers[InferProtocol.JsonLength] = $"{head.WrittenCount}";
        var binary = request.Outputs.Where(output => output.IsBinary).Select(output => output.Tensor).ToList();
        await HttpAnswer.StreamAsync(context, contentType, head.WrittenCount + binary.Sum(tensor => tensor.BinaryBytes(prediction)), async writer =>
        {
            writer.Write(head.WrittenSpan);
            foreach (var tensor in binary)
            {
                for (var row = 0; row < prediction.Rows; row++)
                {
                    tensor.WriteBytes(writer, prediction, row);
                    if (writer.UnflushedBytes > Piece) await writer.FlushAsync(cancellation);
                }
            }

            await writer.FlushAsync(cancellation);
        });
    }

    /// <param name="flush">Is called after each row.</param>
    private async Task WriteJsonAsync(Utf8JsonWriter json, Prediction prediction, Func<ValueTask> flush)
    {
        json.WriteStartObject();
        json.WriteString("model_name", name);
        json.WriteString("model_version", ModelMetadata.Version);
        if (request.Id is not null) json.WriteString("id", request.Id);
        json.WriteStartObject("parameters");
        foreach (var (parameter, value) in Parameters(model, prediction)) json.WriteNumber(parameter, value);
        json.WriteEndObject();
        json.WriteStartArray("outputs");
        foreach (var output in request.Outputs)
        {
            json.WriteStartObject();
            json.WriteString("name", output.Tensor.Name);
            json.WriteString("datatype", output.Tensor.Datatype);
            json.WriteStartArray("shape");
            foreach (var size in output.Tensor.Shape(prediction)) json.WriteNumberValue(size);
            json.WriteEndArray();
            if (output.IsBinary)
            {
                json.WriteStartObject("parameters");
                json.WriteNumber("binary_data_size", output.Tensor.BinaryBytes(prediction));
                json.WriteEndObject();
            }
            else
            {
                json.WriteStartArray("data");
                for (var row = 0; row < prediction.Rows; row++)
                {
                    output.Tensor.WriteJson(json, prediction, row);
                    await flush();
                }

                json.WriteEndArray();
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
