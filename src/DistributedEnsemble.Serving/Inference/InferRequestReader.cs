using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json;
using DistributedEnsemble.Messages;
using DistributedEnsemble.Predictions;

namespace DistributedEnsemble.Serving.Inference;

/// <summary>Reads a request from the bytes of its body: JSON, or JSON with the numbers behind it (the binary tensor extension).</summary>
internal sealed class InferRequestReader
{
    private readonly HttpSettings _limits;
    private readonly ReadOnlyMemory<byte> _json;
    private readonly bool _saysWhereJsonEnds;
    private readonly ServedModel _model;
    private readonly ReadOnlyMemory<byte> _binary;
    private readonly InputRows _rows;
    private readonly RowTensors _tensors;
    private readonly IReadOnlyList<OutputTensor> _outputs;
    private readonly Action<long> _hold;

    private InferRequestReader(ServedModel model, HttpSettings limits, ReadOnlyMemory<byte> body, int? jsonLength, Action<long> hold)
    {
        (_limits, _json, _saysWhereJsonEnds) = (limits, body[..(jsonLength ?? body.Length)], jsonLength is not null);
        _outputs = OutputTensor.Of(model);
        (_model, _binary, _hold) = (model, body[_json.Length..], hold);
        _rows = new InputRows(model, limits, hold);
        _tensors = new RowTensors(_rows, limits, _json, _binary);
    }

    /// <param name="jsonLength">Where the binary part begins; null if there is none.</param>
    /// <param name="hold">Is told of memory for the rows before it is taken, in bytes.</param>
    /// <exception cref="HttpError">The body is no valid request, or breaks a limit.</exception>
    public static InferRequest Read(ServedModel model, HttpSettings limits, ReadOnlyMemory<byte> body, int? jsonLength, Action<long>? hold = null)
    {
        if (jsonLength < 0 || jsonLength > body.Length)
        {
            throw HttpError.BadRequest($"{InferProtocol.JsonLength} is {jsonLength}, and the body has {body.Length} bytes: it says how many of them are JSON.");
        }

        try
        {
            return new InferRequestReader(model, limits, body, jsonLength, hold ?? (_ => { })).Read();
        }
        catch (JsonException exception)
        {
            throw HttpError.BadRequest(
                $"The request is not JSON at line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}: {OneLine.Excerpt(exception.Message.Split(" LineNumber:")[0])}");
        }
        catch (InvalidOperationException)
        {
            // A text with half of a surrogate pair, or with bytes that are not UTF-8.
            throw HttpError.BadRequest("The request is not JSON: a text in it is not Unicode.");
        }
    }

    private InferRequest Read()
    {
        var json = new Utf8JsonReader(_json.Span, new JsonReaderOptions { MaxDepth = _limits.MaxJsonDepth });
        json.Read();
        JsonFields.Expect(ref json, JsonTokenType.StartObject, "The request", "an object");
        string? id = null;
        InputTensor? input = null;
        ImmutableArray<RowColumn> columns = [];
        InferParameters? parameters = null;
        List<(OutputTensor Tensor, bool? IsBinary)>? outputs = null;
        while (JsonFields.Next(ref json, out var name))
        {
            switch (name)
            {
                case "id": id = JsonFields.Once(id, JsonFields.Text(ref json, "id"), "id"); break;
                case "parameters": parameters = JsonFields.Once(parameters, InferParametersReader.Read(ref json, _limits), "parameters"); break;
                case "inputs" when input is not null || !columns.IsEmpty: throw JsonFields.Twice("inputs");
                case "inputs" when AreColumns(json): columns = Columns(ref json); break;
                case "inputs": input = Input(ref json); break;
                case "outputs": outputs = JsonFields.Once(outputs, Outputs(ref json), "outputs"); break;
                default: json.Skip(); break;
            }
        }

        // Numbers behind the JSON would look like an error in it.
        if (input is { BinarySize: not null, HasData: false } && !_saysWhereJsonEnds)
        {
            throw HttpError.BadRequest(
                $"The input has a binary_data_size, and the header {InferProtocol.JsonLength} is missing: it says how many bytes of the body are JSON.");
        }

        json.Read();
        var rows = columns.IsEmpty ? _tensors.Of(input ?? throw _rows.None) : [];
        parameters ??= new InferParameters();
        return new InferRequest
        {
            Id = id,
            Rows = ImmutableCollectionsMarshal.AsImmutableArray(rows),
            Columns = columns,
            RowCount = columns.IsEmpty ? (int)(rows.Length / _rows.Width) : columns[0].Count,
            Parameters = parameters,
            Outputs = outputs is null or []
                ? [new RequestedOutput(_outputs[0], parameters.BinaryOutput ?? false)]
                : [.. outputs.Select(output => new RequestedOutput(output.Tensor, output.IsBinary ?? parameters.BinaryOutput ?? false))],
        };
    }

    private InputTensor Input(ref Utf8JsonReader json)
    {
        JsonFields.Expect(ref json, JsonTokenType.StartArray, "inputs", "an array");
        InputTensor? input = null;
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (input is not null) throw _rows.TooMany;
            input = InputTensor.Read(ref json, _tensors);
        }

        return input ?? throw _rows.None;
    }

    private ImmutableArray<RowColumn> Columns(ref Utf8JsonReader json)
    {
        JsonFields.Expect(ref json, JsonTokenType.StartArray, "inputs", "an array");
        return new ColumnTensors(_model, _limits, _hold).Read(ref json, _binary);
    }

    /// <summary>Whether a table is asked column by column: always, unless its one input has all numbers of each row.</summary>
    private bool AreColumns(Utf8JsonReader json)
    {
        if (_model.Columns.IsEmpty) return false;
        if (!_model.TakesRows || json.TokenType != JsonTokenType.StartArray || !json.Read() || json.TokenType != JsonTokenType.StartObject) return true;
        var first = "";
        while (JsonFields.Next(ref json, out var property))
        {
            if (property == "name" && json.TokenType == JsonTokenType.String) first = JsonFields.Text(ref json, "inputs[0].name")!;
            else json.Skip();
        }

        json.Read();
        return json.TokenType != JsonTokenType.EndArray || !InputRows.AreGivenBy(first, _model);
    }

    private List<(OutputTensor Tensor, bool? IsBinary)>? Outputs(ref Utf8JsonReader json)
    {
        if (json.TokenType == JsonTokenType.Null) return null;
        JsonFields.Expect(ref json, JsonTokenType.StartArray, "outputs", "an array");
        var outputs = new List<(OutputTensor Tensor, bool? IsBinary)>();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            var output = Output(ref json);
            if (outputs.Any(other => other.Tensor == output.Tensor)) throw OutputTensor.Twice(output.Tensor);
            outputs.Add(output);
        }

        return outputs;
    }

    private (OutputTensor Tensor, bool? IsBinary) Output(ref Utf8JsonReader json)
    {
        JsonFields.Expect(ref json, JsonTokenType.StartObject, "An output", "an object");
        string? name = null;
        bool? isBinary = null;
        while (JsonFields.Next(ref json, out var property))
        {
            if (property == "name") name = JsonFields.Once(name, JsonFields.Text(ref json, "An output's name"), "An output's name");
            else if (property == "parameters") isBinary = JsonFields.Once(isBinary, BinaryData(ref json), "An output's parameters");
            else json.Skip();
        }

        return (OutputTensor.Find(_outputs, name), isBinary);
    }

    private static bool? BinaryData(ref Utf8JsonReader json)
    {
        if (json.TokenType == JsonTokenType.Null) return null;
        JsonFields.Expect(ref json, JsonTokenType.StartObject, "An output's parameters", "an object");
        bool? isBinary = null;
        while (JsonFields.Next(ref json, out var name))
        {
            if (JsonFields.IsForPeople(name) || json.TokenType == JsonTokenType.Null) json.Skip();
            else if (name == "binary_data") isBinary = JsonFields.Flag(ref json, name);
            // Triton's clients always say it: 0 classes is no classification.
            else if (name == "classification" && json.TokenType == JsonTokenType.Number && json.TryGetInt32(out var classes) && classes == 0) continue;
            else if (name == "classification") throw HttpError.BadRequest("classification is not supported: ask for the output \"label\".");
            else throw HttpError.BadRequest($"An output's parameter {OneLine.Quoted(name)} is unknown: there is binary_data.");
        }

        return isBinary;
    }
}
