using System.Buffers;
using System.Runtime.InteropServices;
using DistributedEnsemble.Predictions;
using DistributedEnsemble.Serving.Inference;
using DistributedEnsemble.Serving.Rpc.Protocol;
using Google.Protobuf;

namespace DistributedEnsemble.Serving.Rpc;

/// <summary>A prediction as a message: the outputs' elements all raw, or all in the fields of their datatypes.</summary>
internal static class RpcAnswer
{
    public static ModelInferResponse Of(string name, ServedModel model, InferRequest request, Prediction prediction)
    {
        var answer = new ModelInferResponse { ModelName = name, ModelVersion = ModelMetadata.Version, Id = request.Id ?? "" };
        foreach (var (parameter, value) in InferResponse.Parameters(model, prediction)) answer.Parameters[parameter] = new InferParameter { Int64Param = value };
        foreach (var output in request.Outputs)
        {
            var tensor = new ModelInferResponse.Types.InferOutputTensor { Name = output.Tensor.Name, Datatype = output.Tensor.Datatype, Shape = { output.Tensor.Shape(prediction) } };
            answer.Outputs.Add(tensor);
            if (output.IsBinary) answer.RawOutputContents.Add(UnsafeByteOperations.UnsafeWrap(Raw(output.Tensor, prediction)));
            else tensor.Contents = Typed(output.Tensor, prediction);
        }

        return answer;
    }

    private static ReadOnlyMemory<byte> Raw(OutputTensor tensor, Prediction prediction)
    {
        var bytes = new ArrayBufferWriter<byte>((int)Math.Max(1, tensor.BinaryBytes(prediction)));
        for (var row = 0; row < prediction.Rows; row++) tensor.WriteBytes(bytes, prediction, row);
        return bytes.WrittenMemory;
    }

    private static InferTensorContents Typed(OutputTensor tensor, Prediction prediction)
    {
        var contents = new InferTensorContents();
        switch (tensor.Datatype)
        {
            case "FP32": contents.Fp32Contents.AddRange(MemoryMarshal.Cast<byte, float>(Raw(tensor, prediction).Span)); break;
            case "INT64": contents.Int64Contents.AddRange(MemoryMarshal.Cast<byte, long>(Raw(tensor, prediction).Span)); break;
            case "BYTES": contents.BytesContents.AddRange(prediction[tensor.Name].Texts.Select(ByteString.CopyFromUtf8)); break;
            case var other: throw new InvalidOperationException($"The output {tensor.Name} has the datatype {other}.");
        }

        return contents;
    }
}
