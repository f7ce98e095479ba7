using System.Text.Json;
using System.Text.Json.Serialization;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Training.Tasks;

namespace DistributedEnsemble.Training.Members;

/// <summary>A line of metrics.jsonl: how one step went, measured on its batch before the update.</summary>
/// <param name="Epoch">Passes over the training rows, step included.</param>
/// <param name="LearningRate">α(t).</param>
/// <param name="Loss">The mean loss of the batch.</param>
/// <param name="L2">The term λ·Σw² that is added to the loss.</param>
/// <param name="Quality">Stands in the line under the name of its measure.</param>
[JsonConverter(typeof(StepMetricsJson))]
public sealed record StepMetrics(int Step, double Epoch, double LearningRate, float Loss, double L2, StepQuality Quality)
{
    /// <summary>How the weights after the step do on the validation rows; null where they are not evaluated.</summary>
    public ValidationMetrics? Validation { get; init; }

    /// <summary>One line of JSON, ended by a line feed.</summary>
    public string ToLine() => JsonSerializer.Serialize(this, JsonSerializerOptions.Web) + "\n";

    /// <summary>The last of some lines; null if there is none.</summary>
    public static StepMetrics? LastOf(string lines)
    {
        var last = lines.AsSpan().TrimEnd('\n');
        return last.IsEmpty ? null : JsonSerializer.Deserialize<StepMetrics>(last[(last.LastIndexOf('\n') + 1)..], JsonSerializerOptions.Web);
    }

    /// <summary>Each of some lines of a file.</summary>
    /// <exception cref="InvalidDataException">One is none.</exception>
    internal static IEnumerable<StepMetrics> AllOf(string lines, string file)
    {
        foreach (var line in lines.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            StepMetrics? metrics;
            try
            {
                metrics = JsonSerializer.Deserialize<StepMetrics>(line, JsonSerializerOptions.Web);
            }
            catch (JsonException exception)
            {
                throw new InvalidDataException($"{file} is damaged: {OneLine.Excerpt(line)} is no line of metrics.", exception);
            }

            yield return metrics ?? throw new InvalidDataException($"{file} is damaged: null is no line of metrics.");
        }
    }

    /// <summary>Those of some lines that belong to later steps.</summary>
    public static string LinesAfter(int step, string lines) => string.Concat(
        lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => LastOf(line)!.Step > step).Select(line => line + "\n"));
}

/// <param name="Nll">The mean negative log-likelihood, natural logarithm; where it is no number, the line has null.</param>
public sealed record ValidationMetrics(double Nll);

/// <summary>{"step","epoch","learningRate","loss","l2", the quality under its measure's name, and where there was an evaluation "validation":{"nll"}}.</summary>
internal sealed class StepMetricsJson : JsonConverter<StepMetrics>
{
    private static readonly string[] s_own = ["step", "epoch", "learningRate", "loss", "l2", "validation"];

    public override StepMetrics Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
    {
        var line = JsonElement.ParseValue(ref reader);
        try
        {
            return Read(line);
        }
        catch (Exception exception) when (exception is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new JsonException("It is no line of metrics.", exception);
        }
    }

    private static StepMetrics Read(JsonElement line)
    {
        var quality = line.EnumerateObject().FirstOrDefault(property => !s_own.Contains(property.Name));
        return new StepMetrics(
            line.GetProperty("step").GetInt32(), line.GetProperty("epoch").GetDouble(), line.GetProperty("learningRate").GetDouble(),
            line.GetProperty("loss").GetSingle(), line.GetProperty("l2").GetDouble(), new StepQuality(quality.Name, quality.Value.GetDouble()))
        {
            Validation = line.TryGetProperty("validation", out var validation) ? new ValidationMetrics(NumberOf(validation.GetProperty("nll"))) : null,
        };
    }

    public override void Write(Utf8JsonWriter writer, StepMetrics value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        writer.WriteNumber("step", value.Step);
        writer.WriteNumber("epoch", value.Epoch);
        writer.WriteNumber("learningRate", value.LearningRate);
        writer.WriteNumber("loss", value.Loss);
        writer.WriteNumber("l2", value.L2);
        writer.WriteNumber(value.Quality.Measure, value.Quality.Value);
        if (value.Validation is { } validation)
        {
            writer.WriteStartObject("validation");
            if (double.IsFinite(validation.Nll)) writer.WriteNumber("nll", validation.Nll);
            else writer.WriteNull("nll");
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private static double NumberOf(JsonElement value) => value.ValueKind == JsonValueKind.Null ? double.NaN : value.GetDouble();
}
