using System.Collections.Immutable;
using System.Runtime.InteropServices;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Serving.Inference;
using DistributedEnsemble.Serving.Rpc.Protocol;
using Google.Protobuf.Collections;

namespace DistributedEnsemble.Serving.Rpc;

/// <summary>Reads a request for predictions from its message.</summary>
/// <param name="hold">Is told of memory for the rows before it is taken, in bytes.</param>
internal sealed class RpcRequestReader(ServedModel model, HttpSettings limits, ModelInferRequest message, Action<long> hold)
{
    private readonly InputRows _rows = new(model, limits, hold);

    private bool IsRaw => message.RawInputContents.Count > 0;

    /// <exception cref="HttpError">The message is no valid request, or breaks a limit.</exception>
    public InferRequest Read()
    {
        if (IsRaw && message.RawInputContents.Count != message.Inputs.Count)
            throw HttpError.BadRequest($"raw_input_contents has {message.RawInputContents.Count} elements, and there are {message.Inputs.Count} inputs: it has one for each, or none.");
        for (var i = 0; i < message.Inputs.Count; i++) RpcParameters.CheckNothingAsked(message.Inputs[i].Parameters, $"inputs[{i}]");
        var parameters = RpcParameters.Read(message.Parameters, limits);
        var columns = AreColumns ? Columns() : [];
        var rows = columns.IsEmpty ? Rows() : [];
        return new InferRequest
        {
            Id = message.Id.Length > 0 ? message.Id : null,
            Rows = ImmutableCollectionsMarshal.AsImmutableArray(rows),
            Columns = columns,
            RowCount = columns.IsEmpty ? (int)(rows.Length / _rows.Width) : columns[0].Count,
            Parameters = parameters,
            Outputs = Outputs(parameters.BinaryOutput ?? IsRaw),
        };
    }

    /// <summary>Whether a table is asked column by column: always, unless its one input has all numbers of each row.</summary>
    private bool AreColumns => !model.Columns.IsEmpty && !(message.Inputs is [var only] && InputRows.AreGivenBy(only.Name, model));

    private float[] Rows()
    {
        if (message.Inputs.Count == 0) throw _rows.None;
        if (message.Inputs.Count > 1) throw _rows.TooMany;
        var input = message.Inputs[0];
        var type = InputDatatype.Parse(input.Datatype);
        var bytes = Bytes(0);
        var length = _rows.Length(Shape(input), bytes.Length / type.Size);
        return bytes.Length == (long)length * type.Size ? _rows.OfBytes(type, bytes, length) : throw HttpError.BadRequest(
            $"The input has {bytes.Length} bytes of contents, and its shape and datatype need {(long)length * type.Size}: they must agree.");
    }

    private ImmutableArray<RowColumn> Columns()
    {
        var columns = new InputColumns(model, limits, hold);
        for (var i = 0; i < message.Inputs.Count; i++)
        {
            columns.CheckRoom();
            var (input, what) = (message.Inputs[i], $"inputs[{i}]");
            if (input.Name.Length == 0) throw HttpError.BadRequest($"{what} has no name: it is that of a column.");
            columns.Add(columns.OfBytes(input.Name, what, input.Datatype, Bytes(i)), what, Shape(input));
        }

        return columns.All();
    }

    private static RepeatedField<long>? Shape(ModelInferRequest.Types.InferInputTensor input) => input.Shape.Count == 0 ? null : input.Shape;

    private ReadOnlySpan<byte> Bytes(int place)
    {
        var (input, what) = (message.Inputs[place], $"inputs[{place}]");
        if (!IsRaw) return RpcContents.Bytes(input.Contents, input.Datatype, what, hold);

        return input.Contents is null ? message.RawInputContents[place].Span
            : throw HttpError.BadRequest($"{what} has contents, and the request has raw_input_contents: its elements are in one of the two.");
    }

    private ImmutableArray<RequestedOutput> Outputs(bool isRaw)
    {
        var known = OutputTensor.Of(model);
        if (message.Outputs.Count == 0) return [new RequestedOutput(known[0], isRaw)];
        var outputs = ImmutableArray.CreateBuilder<RequestedOutput>();
        foreach (var asked in message.Outputs)
        {
            var output = OutputTensor.Find(known, asked.Name);
            RpcParameters.CheckNothingAsked(asked.Parameters, $"The output {output.Name}");
            if (outputs.Any(other => other.Tensor == output)) throw OutputTensor.Twice(output);
            outputs.Add(new RequestedOutput(output, isRaw));
        }

        return outputs.ToImmutable();
    }
}
