using System.Buffers;
using System.Globalization;
using System.Text.Json;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Serving.Inference;
using DistributedEnsemble.Serving.Rpc.Protocol;
using Google.Protobuf.Collections;

namespace DistributedEnsemble.Serving.Rpc;

/// <summary>Parameters mean what they mean over HTTP: they are read as if they had come as JSON.</summary>
internal static class RpcParameters
{
    /// <summary>More than there are.</summary>
    private const int Most = 64;

    /// <exception cref="HttpError">One is unknown, or not what it must be.</exception>
    public static InferParameters Read(MapField<string, InferParameter> parameters, HttpSettings limits)
    {
        var json = new Utf8JsonReader(Json(parameters, "The request"));
        json.Read();
        return InferParametersReader.Read(ref json, limits);
    }

    /// <summary>Those of a tensor: what other clients say and what changes nothing here may be there, and nothing else.</summary>
    /// <param name="what">What errors call the tensor.</param>
    /// <exception cref="HttpError">There is another.</exception>
    public static void CheckNothingAsked(MapField<string, InferParameter> parameters, string what)
    {
        foreach (var (name, value) in parameters)
        {
            // Triton's clients always say it: 0 classes is no classification.
            if (JsonFields.IsForPeople(name) || value.ParameterChoiceCase == InferParameter.ParameterChoiceOneofCase.None || name == "classification" && value.Int64Param == 0) continue;
            throw name == "classification" ? HttpError.BadRequest("classification is not supported: ask for the output \"label\".")
                : HttpError.BadRequest($"{what}'s parameter {OneLine.Quoted(name)} is unknown: a tensor takes none here.");
        }
    }

    private static ReadOnlySpan<byte> Json(MapField<string, InferParameter> parameters, string what)
    {
        if (parameters.Count > Most) throw HttpError.BadRequest($"{what} has {parameters.Count} parameters: it may have up to {Most}.");
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            foreach (var (name, value) in parameters)
            {
                json.WritePropertyName(name);
                switch (value.ParameterChoiceCase)
                {
                    case InferParameter.ParameterChoiceOneofCase.None: json.WriteNullValue(); break;
                    case InferParameter.ParameterChoiceOneofCase.BoolParam: json.WriteBooleanValue(value.BoolParam); break;
                    case InferParameter.ParameterChoiceOneofCase.Int64Param: json.WriteNumberValue(value.Int64Param); break;
                    case InferParameter.ParameterChoiceOneofCase.Uint64Param: json.WriteNumberValue(value.Uint64Param); break;
                    // Triton's clients send texts, booleans and whole numbers, and no others.
                    case InferParameter.ParameterChoiceOneofCase.StringParam when InferParametersReader.IsShare(name) && Number(value.StringParam) is { } share: json.WriteNumberValue(share); break;
                    case InferParameter.ParameterChoiceOneofCase.StringParam: json.WriteStringValue(value.StringParam); break;
                    case InferParameter.ParameterChoiceOneofCase.DoubleParam when double.IsFinite(value.DoubleParam): json.WriteNumberValue(value.DoubleParam); break;
                    case InferParameter.ParameterChoiceOneofCase.DoubleParam: throw HttpError.BadRequest($"parameters.{OneLine.Excerpt(name)} is {value.DoubleParam}: it must be a finite number.");
                }
            }

            json.WriteEndObject();
        }

        return bytes.WrittenSpan;
    }

    private static double? Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null;
}
