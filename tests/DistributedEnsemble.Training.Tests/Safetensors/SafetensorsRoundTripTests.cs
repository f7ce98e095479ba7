using System.Text;
using static TorchSharp.torch;

namespace DistributedEnsemble.Training.Tests.Safetensors;

public sealed class SafetensorsRoundTripTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void A_file_has_exactly_the_bytes_of_the_format()
    {
        using var weight = tensor(new float[] { 1, -2 }).reshape(1, 2);
        using var count = tensor(new long[] { 3 });
        using var stream = new MemoryStream();

        var sha256 = SafetensorsWriter.Write(
            stream, [new("w", weight), new("n", count)], new Dictionary<string, string> { ["step"] = "7", ["run"] = "a" });

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
        using var weights = arange(0, 1000, ScalarType.Float32).reshape(10, 100);
        using var view = weights.narrow(0, 3, 4);
        using var scalar = tensor(2.5f);
        using var nothing = empty(0, 5);
        var path = _folder.File("w.safetensors");

        var sha256 = AtomicFile.Write(path, stream => SafetensorsWriter.Write(stream, [new("a", view), new("e", nothing), new("s", scalar)]));

        using var reader = SafetensorsReader.Open(path, sha256);
        Assert.Equal(sha256, reader.ComputeSha256());
        Assert.Equal(["a", "e", "s"], reader.Tensors.Select(entry => entry.Name));
        Assert.Equal([4, 100], reader.Tensors[0].Shape);
        using var read = zeros(4, 100);
        reader.Read(reader.Tensors[0], read);
        Assert.True(read.Equals(view));
        var bytes = new byte[4];
        reader.Read(reader.Tensors[2], bytes);
        Assert.Equal(2.5f, BitConverter.ToSingle(bytes));
    }

    [Fact]
    public void Data_of_another_hash_is_refused()
    {
        using var one = tensor(1f);
        var path = _folder.File("w.safetensors");
        var sha256 = AtomicFile.Write(path, stream => SafetensorsWriter.Write(stream, [new("a", one)]));
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
    public void A_destination_of_another_shape_is_refused()
    {
        using var one = ones(2, 3);
        using var stream = new MemoryStream();
        SafetensorsWriter.Write(stream, [new("w", one)]);
        using var reader = SafetensorsReader.Open(stream, "w.safetensors");
        using var other = ones(3, 2);

        Assert.Throws<ArgumentException>(() => reader.Read(reader.Tensors[0], other));
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
