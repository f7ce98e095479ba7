using System.Runtime.InteropServices;
using Google.Protobuf;
using global::Onnx;
using static global::Onnx.TensorProto.Types;

namespace DistributedEnsemble.Training.Exports.Onnx;

/// <summary>
/// A graph of ONNX in the making: values are known by their names, of which each is given once. The same calls give the same bytes.
/// </summary>
internal sealed class OnnxGraph(string name)
{
    /// <summary>What a graph's rows are called, whose number is open.</summary>
    private const string Rows = "rows";

    /// <summary>The domain of the operators for classical machine learning.</summary>
    public const string Tables = "ai.onnx.ml";

    private readonly GraphProto _graph = new() { Name = name };
    private readonly HashSet<string> _names = [];
    private readonly Dictionary<string, string> _constants = [];

    public IReadOnlyList<ValueInfoProto> Inputs => _graph.Input;

    public IReadOnlyList<ValueInfoProto> Outputs => _graph.Output;

    /// <summary>Bytes of all constants.</summary>
    public long Bytes { get; private set; }

    /// <summary>Keeps names for outputs that follow.</summary>
    public void Reserve(IEnumerable<string> outputs) => _names.UnionWith(outputs);

    /// <summary>Something that is given for each row.</summary>
    /// <param name="wanted">Its name; one that an output has gets a word behind it.</param>
    /// <param name="shape">Of one row.</param>
    public string Input(string wanted, DataType type, string description, params ReadOnlySpan<long> shape)
    {
        var input = _names.Add(wanted) ? wanted : Unused($"{wanted} (column)");
        _graph.Input.Add(Value(input, type, description, shape));
        return input;
    }

    /// <summary>Something that is answered for each row, under a reserved name.</summary>
    public void Output(string output, string value, DataType type, string description, params ReadOnlySpan<long> shape)
    {
        _graph.Node.Add(new NodeProto { OpType = "Identity", Name = output, Input = { value }, Output = { output } });
        _graph.Output.Add(Value(output, type, description, shape));
    }

    /// <returns>The node's output.</returns>
    public string Node(string operation, ReadOnlySpan<string> inputs, params ReadOnlySpan<AttributeProto> attributes) =>
        Node("", operation, inputs, attributes);

    /// <summary>A node of the operators for classical machine learning.</summary>
    public string NodeOfTables(string operation, ReadOnlySpan<string> inputs, params ReadOnlySpan<AttributeProto> attributes) =>
        Node(Tables, operation, inputs, attributes);

    /// <summary>Numbers that are known already, under a name of their own.</summary>
    public string Tensor(string wanted, IReadOnlyList<long> shape, ReadOnlySpan<float> values) =>
        Add(Unused(wanted), DataType.Float, shape, MemoryMarshal.AsBytes(values));

    public string Constant(IReadOnlyList<long> shape, params ReadOnlySpan<float> values) => Constant(DataType.Float, shape, MemoryMarshal.AsBytes(values));

    public string Constant(IReadOnlyList<long> shape, params ReadOnlySpan<double> values) => Constant(DataType.Double, shape, MemoryMarshal.AsBytes(values));

    public string Constant(IReadOnlyList<long> shape, params ReadOnlySpan<long> values) => Constant(DataType.Int64, shape, MemoryMarshal.AsBytes(values));

    public string Texts(IReadOnlyList<string> texts)
    {
        var tensor = new TensorProto { Name = Unused("texts"), DataType = (int)DataType.String, Dims = { texts.Count } };
        tensor.StringData.AddRange(texts.Select(ByteString.CopyFromUtf8));
        _graph.Initializer.Add(tensor);
        return tensor.Name;
    }

    public string Cast(string value, DataType type) => Node("Cast", [value], Attribute("to", (long)type));

    public static AttributeProto Attribute(string attribute, long value) =>
        new() { Name = attribute, Type = AttributeProto.Types.AttributeType.Int, I = value };

    public static AttributeProto Attribute(string attribute, float value) =>
        new() { Name = attribute, Type = AttributeProto.Types.AttributeType.Float, F = value };

    public static AttributeProto Attribute(string attribute, string value) =>
        new() { Name = attribute, Type = AttributeProto.Types.AttributeType.String, S = ByteString.CopyFromUtf8(value) };

    public static AttributeProto Attribute(string attribute, IEnumerable<long> values) =>
        new() { Name = attribute, Type = AttributeProto.Types.AttributeType.Ints, Ints = { values } };

    public static AttributeProto Attribute(string attribute, IEnumerable<string> values) =>
        new() { Name = attribute, Type = AttributeProto.Types.AttributeType.Strings, Strings = { values.Select(ByteString.CopyFromUtf8) } };

    public GraphProto ToProto() => _graph;

    private string Node(string domain, string operation, ReadOnlySpan<string> inputs, ReadOnlySpan<AttributeProto> attributes)
    {
        var output = Unused(operation);
        var node = new NodeProto { OpType = operation, Domain = domain, Name = output, Output = { output } };
        foreach (var input in inputs) node.Input.Add(input);
        foreach (var attribute in attributes) node.Attribute.Add(attribute);
        _graph.Node.Add(node);
        return output;
    }

    /// <summary>Equal ones are one.</summary>
    private string Constant(DataType type, IReadOnlyList<long> shape, ReadOnlySpan<byte> values)
    {
        var key = $"{type} {string.Join(' ', shape)} {Convert.ToHexString(values)}";
        return _constants.TryGetValue(key, out var known) ? known : _constants[key] = Add(Unused("constant"), type, shape, values);
    }

    private string Add(string tensor, DataType type, IReadOnlyList<long> shape, ReadOnlySpan<byte> values)
    {
        _graph.Initializer.Add(new TensorProto { Name = tensor, DataType = (int)type, Dims = { shape }, RawData = ByteString.CopyFrom(values) });
        Bytes += values.Length;
        return tensor;
    }

    private string Unused(string wanted)
    {
        var unused = wanted;
        for (var i = 1; !_names.Add(unused); i++) unused = $"{wanted}_{i}";
        return unused;
    }

    private static ValueInfoProto Value(string name, DataType type, string description, ReadOnlySpan<long> shape)
    {
        var dimensions = new TensorShapeProto { Dim = { new TensorShapeProto.Types.Dimension { DimParam = Rows } } };
        foreach (var size in shape) dimensions.Dim.Add(new TensorShapeProto.Types.Dimension { DimValue = size });
        return new ValueInfoProto
        {
            Name = name, DocString = description,
            Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = dimensions } },
        };
    }
}
