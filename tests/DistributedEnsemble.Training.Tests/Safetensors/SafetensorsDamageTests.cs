using System.Buffers.Binary;
using System.Text;
using DistributedEnsemble.Training.Safetensors;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Tests.Safetensors;

public class SafetensorsDamageTests
{
    private const string Good = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""";

    [Theory]
    [InlineData("[1]", "the header does not start with {")]
    [InlineData("{", "the header is not valid JSON")]
    [InlineData("""{"\ud800":{}}""", "the header is not valid JSON")]
    [InlineData("""{"a":1}""", "\"a\" is not described by an object")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2]}}""", "\"a\" needs dtype, shape and data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}""", "\"a\" has the unknown key \"x\"")]
    [InlineData("""{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "\"a\" has dtype twice")]
    [InlineData("""{"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}}""", "the dtype of \"a\", \"F31\", is unknown")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", "the shape of \"a\" is not a list of whole numbers from 0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "the data_offsets of \"a\" are not a begin and an end")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", "the shape of \"a\", [3] of F32, does not take its 8 bytes")]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}""",
        "the shape of \"a\", [4294967296, 4294967296] of F32, does not take its 8 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}""", "\"a\" ends beyond the file: it is cut short")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "4 bytes follow the last tensor")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "\"a\" starts at byte 4 of the data, where 0 is due")]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""",
        "\"b\" starts at byte 4 of the data, where 8 is due")]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""",
        "the name \"a\" occurs twice")]
    [InlineData("""{"__metadata__":{"k":1},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "the metadata \"k\" is not a string")]
    public void A_damaged_header_is_told(string header, string reason) => Refuses(File(header, new byte[8]), reason);

    [Fact]
    public void A_cut_file_is_told()
    {
        Refuses([1, 2, 3], "3 bytes are too few for a header");
        Refuses(File(Good, new byte[8])[..20], $"a header of {Good.Length} bytes does not fit into 20 bytes");
        Refuses(File(Good, new byte[7]), "\"a\" ends beyond the file: it is cut short");
    }

    [Fact]
    public void An_absurd_header_length_is_not_allocated()
    {
        var file = File(Good, new byte[8]);
        BinaryPrimitives.WriteUInt64LittleEndian(file, ulong.MaxValue);
        Refuses(file, "a header of 18446744073709551615 bytes is over the limit of 100000000");
    }

    [Fact]
    public void Whatever_is_damaged_only_the_documented_exception_escapes_and_memory_stays_bounded()
    {
        using var weight = arange(0, 12, ScalarType.Float32).ToVector();
        using var stream = new MemoryStream();
        SafetensorsWriter.Write(
            stream, [new("layers.0.weight", [3, 4], weight), new("layers.0.bias", [12], weight)], new Dictionary<string, string> { ["step"] = "1" });
        var before = GC.GetAllocatedBytesForCurrentThread();

        var runs = Fuzz.Run(stream.ToArray(), bytes =>
        {
            using var reader = SafetensorsReader.Open(new MemoryStream(bytes), "w.safetensors");
            foreach (var entry in reader.Tensors) reader.Read(entry, new byte[entry.ByteCount]);
        }, typeof(SafetensorsException));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, runs * 100_000L);
    }

    private static void Refuses(byte[] file, string reason)
    {
        var error = Assert.Throws<SafetensorsException>(() => SafetensorsReader.Open(new MemoryStream(file), "w.safetensors"));
        Assert.Equal($"w.safetensors is damaged: {reason}.", error.Message);
    }

    private static byte[] File(string header, byte[] data) =>
        [.. BitConverter.GetBytes((long)header.Length), .. Encoding.UTF8.GetBytes(header), .. data];
}
