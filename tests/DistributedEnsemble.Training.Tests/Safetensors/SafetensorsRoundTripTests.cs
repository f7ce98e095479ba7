using System.Runtime.InteropServices;
using System.Text;
using DistributedEnsemble.Training.Files;
using DistributedEnsemble.Training.Kernels;
using DistributedEnsemble.Training.Safetensors;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Tests.Safetensors;

public sealed class SafetensorsRoundTripTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void A_file_has_exactly_the_bytes_of_the_format()
    {
        using var weight = tensor(new float[] { 1, -2 }).ToVector();
        using var stream = new MemoryStream();

        var sha256 = SafetensorsWriter.Write(
            stream, [new("w", [1, 2], weight), new("n", ElementType.I64, [1], sink => sink(BitConverter.GetBytes(3L)))], new Dictionary<string, string> { ["step"] = "7", ["run"] = "a" });

        var header =
            """{"__metadata__":{"run":"a","step":"7"},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"n":{"dtype":"I64","shape":[1],"data_offsets":[8,16]}}""";
        byte[] data = [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 3, 0, 0, 0, 0, 0, 0, 0];
        var padded = header.PadRight((header.Length + 7) / 8 * 8);
        Assert.Equal([.. BitConverter.GetBytes((long)padded.Length), .. Encoding.ASCII.GetBytes(padded), .. data], stream.ToArray());
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(data)), sha256);
    }

    [Fact]
    public void What_is_written_is_read_back()
    {
        using var weights = arange(0, 1000, ScalarType.Float32).ToVector();
        using var scalar = tensor(2.5f).ToVector();
        using var nothing = new NativeVector(0);
        var path = _folder.File("w.safetensors");

        var sha256 = AtomicFile.Write(path, stream => SafetensorsWriter.Write(stream, [new("a", [4, 100], weights, 300), new("e", [0, 5], nothing), new("s", [], scalar)]));

        using var reader = SafetensorsReader.Open(path, sha256);
        Assert.Equal(sha256, reader.ComputeSha256());
        Assert.Equal(["a", "e", "s"], reader.Tensors.Select(entry => entry.Name));
        Assert.Equal([4, 100], reader.Tensors[0].Shape);
        var read = new float[400];
        reader.Read(reader.Tensors[0], MemoryMarshal.AsBytes(read.AsSpan()));
        Assert.Equal(weights.ToArray()[300..700], read);
        var bytes = new byte[4];
        reader.Read(reader.Tensors[2], bytes);
        Assert.Equal(2.5f, BitConverter.ToSingle(bytes));
    }

    [Fact]
    public void Data_of_another_hash_is_refused()
    {
        using var one = tensor(1f).ToVector();
        var path = _folder.File("w.safetensors");
        var sha256 = AtomicFile.Write(path, stream => SafetensorsWriter.Write(stream, [new("a", [], one)]));
        var expected = new string('0', 64);

        var error = Assert.Throws<SafetensorsException>(() => SafetensorsReader.Open(path, expected));

        Assert.Equal($"{path} is damaged: the sha256 of its data is {sha256}, expected was {expected}.", error.Message);
    }

    [Fact]
    public void A_source_that_gives_too_little_is_refused()
    {
        var half = new NamedTensor("w", ElementType.F32, [2], sink => sink(new byte[4]));

        var error = Assert.Throws<InvalidOperationException>(() => SafetensorsWriter.Write(Stream.Null, [half]));

        Assert.Equal("w gave 4 bytes, but its shape takes 8.", error.Message);
    }

    [Fact]
    public void A_destination_of_another_size_is_refused()
    {
        using var one = ones(2, 3).ToVector();
        using var stream = new MemoryStream();
        SafetensorsWriter.Write(stream, [new("w", [2, 3], one)]);
        using var reader = SafetensorsReader.Open(stream, "w.safetensors");

        Assert.Throws<ArgumentOutOfRangeException>(() => reader.Read(reader.Tensors[0], new byte[20]));
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        var path = _folder.File("none.safetensors");
        var error = Assert.Throws<SafetensorsException>(() => SafetensorsReader.Open(path));
        Assert.StartsWith($"{path} cannot be read: ", error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();
}
