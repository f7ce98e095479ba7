using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Serving.Answers;

/// <summary>An answer in JSON, with its length: proxies that speak HTTP/1.0 need it. It is written when it is sent, into memory that is counted.</summary>
internal sealed class JsonAnswer : IResult
{
    private static readonly JsonSerializerOptions s_web = new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Action<IBufferWriter<byte>> _write;
    private readonly int _status;

    private JsonAnswer(Action<IBufferWriter<byte>> write, int status) => (_write, _status) = (write, status);

    public static JsonAnswer Of<T>(T value, int status = StatusCodes.Status200OK) => Of(value, s_web, status);

    /// <summary>As run.json and <c>status --json</c> have it.</summary>
    public static JsonAnswer OfStatus<T>(T value, int status = StatusCodes.Status200OK) => Of(value, RunStatusJson.Options, status);

    /// <summary>JSON as it is.</summary>
    public static JsonAnswer OfText(string json) => Written(bytes => Encoding.UTF8.GetBytes(json, bytes));

    /// <param name="write">Writes it.</param>
    public static JsonAnswer Written(Action<IBufferWriter<byte>> write) => new(write, StatusCodes.Status200OK);

    /// <exception cref="HttpError">There is no memory for a long one while others are being sent.</exception>
    public async Task ExecuteAsync(HttpContext context)
    {
        using var lease = context.RequestServices.GetRequiredService<Admission>().Bytes();
        using var json = new CountedBytes(lease);
        _write(json);
        context.Response.StatusCode = _status;
        await HttpAnswer.WriteAsync(context, HttpAnswer.Json, json.Written, context.RequestAborted);
    }

    private static JsonAnswer Of<T>(T value, JsonSerializerOptions options, int status) => new(
        bytes =>
        {
            using var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = options.Encoder, Indented = options.WriteIndented });
            JsonSerializer.Serialize(json, value, options);
        },
        status);
}
