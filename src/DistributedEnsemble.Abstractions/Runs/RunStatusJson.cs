using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace DistributedEnsemble.Runs;

/// <summary>The one form of <see cref="RunStatus"/> in JSON: run.json and what <c>status --json</c> prints.</summary>
public static class RunStatusJson
{
    /// <summary>Names in camelCase, enum values in lower case, numbers that JSON cannot say (NaN, infinity) as null.</summary>
    public static JsonSerializerOptions Options { get; } = CreateOptions();

    /// <summary>One line, without a line feed.</summary>
    public static string ToJson(RunStatus status) => JsonSerializer.Serialize(status, Options);

    /// <exception cref="JsonException">The text is not the status of a run.</exception>
    public static RunStatus FromJson(string json)
    {
        var status = JsonSerializer.Deserialize<RunStatus>(json, Options) ?? throw new JsonException("The status of a run is an object, not null.");
        return status.Members.IsDefaultOrEmpty ? status : status with { Members = [.. status.Members.Select(member => WithSteps(member, status))] };
    }

    /// <summary>In files of former programs all members did the same number of steps, and the last model was the final one.</summary>
    private static MemberStatus WithSteps(MemberStatus member, RunStatus status) => member is null or { StepsTotal: > 0 } ? member! : member with
    {
        StepsTotal = (int)Math.Clamp(status.StepsTotal / status.Members.Length, 0, int.MaxValue),
        FinalStep = member.State == MemberState.Completed ? member.Step : null,
    };

    private static JsonSerializerOptions CreateOptions()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.General)
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            // Reasons are sentences: people read them in the file, and quotes need not become \u0027 outside of HTML.
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false), new FiniteOrNull() },
        };
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }

    /// <summary>A diverged member has the loss NaN, and its status must still be written.</summary>
    private sealed class FiniteOrNull : JsonConverter<double>
    {
        public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDouble();

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
        {
            if (double.IsFinite(value)) writer.WriteNumberValue(value);
            else writer.WriteNullValue();
        }
    }
}
