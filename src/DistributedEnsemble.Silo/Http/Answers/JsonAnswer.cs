using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Silo.Http.Answers;

/// <summary>A small answer in JSON, with its length: proxies that speak HTTP/1.0 need it.</summary>
internal sealed class JsonAnswer : IResult
{
    private static readonly JsonSerializerOptions s_web = new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ReadOnlyMemory<byte> _json;
    private readonly int _status;

    private JsonAnswer(ReadOnlyMemory<byte> json, int status) => (_json, _status) = (json, status);

    public static JsonAnswer Of<T>(T value, int status = StatusCodes.Status200OK) => new(JsonSerializer.SerializeToUtf8Bytes(value, s_web), status);

    /// <summary>As run.json and <c>status --json</c> have it.</summary>
    public static JsonAnswer OfStatus<T>(T value, int status = StatusCodes.Status200OK) => new(JsonSerializer.SerializeToUtf8Bytes(value, RunStatusJson.Options), status);

    /// <summary>JSON as it is.</summary>
    public static JsonAnswer OfText(string json) => OfBytes(Encoding.UTF8.GetBytes(json));

    /// <inheritdoc cref="OfText"/>
    public static JsonAnswer OfBytes(ReadOnlyMemory<byte> json) => new(json, StatusCodes.Status200OK);

    public Task ExecuteAsync(HttpContext context)
    {
        context.Response.StatusCode = _status;
        return HttpAnswer.WriteAsync(context, HttpAnswer.Json, _json, context.RequestAborted);
    }
}
