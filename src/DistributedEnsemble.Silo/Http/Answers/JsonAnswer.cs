using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using DistributedEnsemble.Runs;

namespace DistributedEnsemble.Silo.Http.Answers;

/// <summary>A small answer in JSON, with its length: proxies that speak HTTP/1.0 need it.</summary>
internal sealed class JsonAnswer : IResult
{
    private static readonly JsonSerializerOptions s_web = new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What is shorter, as most answers are, is not counted: it is to be had also where memory is not.</summary>
    private const int LongestUncounted = 1 << 16;

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

    /// <exception cref="HttpError">There is no memory for a long one while others are being sent.</exception>
    public async Task ExecuteAsync(HttpContext context)
    {
        using var lease = context.RequestServices.GetRequiredService<Admission>().Bytes();
        if (_json.Length > LongestUncounted) lease.Hold(_json.Length);
        context.Response.StatusCode = _status;
        await HttpAnswer.WriteAsync(context, HttpAnswer.Json, _json, context.RequestAborted);
    }
}
